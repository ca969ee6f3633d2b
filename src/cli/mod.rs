//! The command line: what it understands, and how a command is run, watched and ended.
//!
//! Exit status 0 is done, 1 failed with one clear line on stderr, 2 wrong usage. With `--json` each
//! line of output is one JSON object; without it, people read it.

mod batchnorm;
mod batchnorm_experiment;
mod batchnorm_repair;
mod export;
mod index;
mod library;
mod map;
mod output;
mod passwords;
mod query;
mod train;
mod watch;

use crate::app;
use crate::job::Stop;
use crate::model::{Choice, Processor};
use crate::reading;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// What does this file look like, and how sure are we?
///
/// Without a command the window opens, with the files or the labelled folder that are named.
/// A labelled folder is FOLDER/<label>/<files…>. Files are read, never run.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; without it the window opens.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How the window opens.
    #[command(flatten)]
    pub window: WindowArgs,
    /// What computes the network.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub device: DeviceArg,
    /// Files to look at, or a labelled folder to open.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// What computes the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceArg {
    /// A GPU where the program was built for one and it can be used; else the CPU.
    #[default]
    Auto,
    /// The cores of this machine. The same seed makes the same model.
    Cpu,
    /// A GPU; the CPU, and a word about it, if there is none.
    Gpu,
}

/// How the window opens.
#[derive(Clone, Debug, Default, Args)]
pub struct WindowArgs {
    /// The library to open [default: the one that was open last].
    #[arg(long, value_name = "L.lookalike")]
    pub library: Option<PathBuf>,
    /// What draws the window. `wgpu` uses the GPU or, where there is none, a software Vulkan or
    /// DirectX; `glow` uses OpenGL.
    #[arg(long, value_enum, default_value_t)]
    pub renderer: RendererArg,
}

/// What draws the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RendererArg {
    /// Vulkan, Metal, DirectX 12 or OpenGL ES, hardware or software.
    #[default]
    Wgpu,
    /// OpenGL 2 or later.
    Glow,
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// What draws the window: see `lookalike --help`.
    #[arg(long, value_enum, default_value_t)]
    pub renderer: RendererArg,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the window on bundled labelled samples
    Demo(DemoArgs),
    /// Train a model on a labelled folder
    Train(train::TrainArgs),
    /// Read samples for another process of this program; not for people
    #[cfg(unix)]
    #[command(hide = true)]
    Worker {
        /// Bytes of memory that it may use
        #[arg(long)]
        memory: u64,
    },
    /// Put labelled folders into a library
    Index(index::IndexArgs),
    /// List the nearest known samples of files
    Query(query::QueryArgs),
    /// Lay out a library in two dimensions
    Map(map::MapArgs),
    /// Write all samples of a library to a file
    Export(export::ExportArgs),
    /// Check a library, back it up, change labels and take that back
    Library(library::LibraryArgs),
    /// Compare train mode with eval mode, layer by layer
    #[command(name = "batchnorm")]
    BatchNorm(batchnorm::BatchNormArgs),
    /// Give a model other batch-norm statistics
    #[command(name = "batchnorm-repair")]
    BatchNormRepair(batchnorm_repair::RepairArgs),
    /// Train with and without batch normalisation, and measure both modes by step
    #[command(name = "batchnorm-experiment")]
    BatchNormExperiment(batchnorm_experiment::ExperimentArgs),
}

impl Command {
    /// Whether the network is needed.
    fn computes(&self) -> bool {
        match self {
            Self::Train(_) | Self::Index(_) | Self::Query(_) => true,
            Self::BatchNorm(_) | Self::BatchNormRepair(_) | Self::BatchNormExperiment(_) => true,
            Self::Demo(_) | Self::Map(_) | Self::Export(_) | Self::Library(_) => false,
            #[cfg(unix)]
            Self::Worker { .. } => false,
        }
    }
}

/// Runs what was asked for: the window, or a command without one.
pub fn run(cli: Cli) -> ExitCode {
    Processor::prefer(match cli.device {
        DeviceArg::Auto => Choice::Best,
        DeviceArg::Cpu => Choice::Cpu,
        DeviceArg::Gpu => Choice::Gpu,
    });
    let Some(command) = cli.command else {
        let options =
            app::Options { library: cli.window.library, paths: cli.paths, ..app::Options::default() };
        return window(cli.window.renderer, options);
    };
    if command.computes()
        && let Some(why) = &Processor::get().fallback_reason
    {
        warn(&format!("the network is computed on the CPU: {why}"));
    }
    let result = match command {
        Command::Demo(args) => {
            return window(args.renderer, app::Options { demo: true, ..app::Options::default() });
        }
        #[cfg(unix)]
        Command::Worker { memory } => reading::serve(memory).map_err(Stop::from),
        Command::Train(args) => train::run(args),
        Command::Index(args) => index::run(args),
        Command::Query(args) => query::run(args),
        Command::Map(args) => map::run(args),
        Command::Export(args) => export::run(args),
        Command::Library(args) => library::run(args),
        Command::BatchNorm(args) => batchnorm::run(args),
        Command::BatchNormRepair(args) => batchnorm_repair::run(args),
        Command::BatchNormExperiment(args) => batchnorm_experiment::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Cancelled) => fail("cancelled; nothing was changed"),
        Err(Stop::Failed(why)) => fail(&why),
    }
}

fn window(renderer: RendererArg, options: app::Options) -> ExitCode {
    let renderer = match renderer {
        RendererArg::Wgpu => app::Renderer::Wgpu,
        RendererArg::Glow => app::Renderer::Glow,
    };
    let options = app::Options { reader: reading::Reader::of_this_program(), ..options };
    match app::run(renderer, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

/// One line on stderr, which ends the program.
pub fn fail(why: &str) -> ExitCode {
    warn(why);
    ExitCode::FAILURE
}

/// One line on stderr.
fn warn(why: &str) {
    use std::io::Write as _;
    // There is no one left to tell if stderr is gone.
    let _ = writeln!(std::io::stderr(), "lookalike: {}", crate::escape::text(why));
}
