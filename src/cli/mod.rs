//! The command line: its arguments, and how a command is run and ends.
//!
//! Exit status 0 is success, 1 failure with one line on stderr, 2 wrong usage. With `--json` each line of
//! output is one JSON object; without it, the output is for people.
//!
//! Output files follow one rule: `--out` is the result of the command itself; `--csv` and `--chart` are a table
//! and a chart of it; `--model` and `--library` name a model and a library wherever they occur.

mod advice;
mod archives;
mod base_model;
mod batchnorm;
mod batchnorm_experiment;
mod batchnorm_repair;
mod events;
mod export;
mod facts;
mod index;
mod inspect;
mod labels;
mod library;
mod library_copy;
mod library_models;
mod map;
mod open;
mod output;
mod query;
mod train;
mod watch;

#[cfg(feature = "gui")]
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
    /// The command; without one the window opens.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How the window opens.
    #[command(flatten)]
    pub window: WindowArgs,
    /// What computes the network.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub device: DeviceArg,
    /// Files to query, or a labelled folder to open.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// What computes the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceArg {
    /// A GPU if the program was built for one and can use it; else the CPU.
    #[default]
    Auto,
    /// The CPU. The same seed gives the same model.
    Cpu,
    /// A GPU; the CPU, with a warning, if there is none.
    Gpu,
}

/// How the window opens.
#[derive(Clone, Debug, Default, Args)]
pub struct WindowArgs {
    /// The library to open [default: the one that was open last].
    #[arg(long, value_name = "L.lookalike")]
    pub library: Option<PathBuf>,
    /// What draws the window. `wgpu` uses the GPU or, without one, a software Vulkan or DirectX; `glow` uses
    /// OpenGL.
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
    /// Read samples for another process of this program (internal)
    #[cfg(unix)]
    #[command(hide = true)]
    Worker {
        /// Memory limit in bytes
        #[arg(long)]
        memory: u64,
    },
    /// Make the base model (for developers)
    #[command(hide = true)]
    BaseModel(base_model::BaseModelArgs),
    /// Add labelled folders to a library
    Index(index::IndexArgs),
    /// List the nearest samples of files
    Query(query::QueryArgs),
    /// Say what files are: kind, digests, sections, imports, signature, hints
    Inspect(inspect::InspectArgs),
    /// Map a library in two dimensions
    Map(map::MapArgs),
    /// Write all samples of a library to a file
    Export(export::ExportArgs),
    /// Check a library, back it up, change labels, remove samples, undo that, switch models
    Library(library::LibraryArgs),
    /// Compare train mode with eval mode, layer by layer
    #[command(name = "batchnorm")]
    BatchNorm(batchnorm::BatchNormArgs),
    /// Give a model other running statistics
    #[command(name = "batchnorm-repair")]
    BatchNormRepair(batchnorm_repair::RepairArgs),
    /// Train with and without batch normalisation, and measure both modes by step
    #[command(name = "batchnorm-experiment")]
    BatchNormExperiment(batchnorm_experiment::ExperimentArgs),
}

impl Command {
    /// Whether the command computes the network.
    fn computes(&self) -> bool {
        match self {
            Self::Train(_) | Self::BaseModel(_) | Self::Index(_) | Self::Query(_) => true,
            Self::BatchNorm(_) | Self::BatchNormRepair(_) | Self::BatchNormExperiment(_) => true,
            Self::Demo(_) | Self::Inspect(_) | Self::Map(_) | Self::Export(_) | Self::Library(_) => false,
            #[cfg(unix)]
            Self::Worker { .. } => false,
        }
    }

    /// Whether the command stores something before it ends.
    fn stores(&self) -> bool {
        matches!(self, Self::Train(_) | Self::Index(_) | Self::Map(_) | Self::BatchNormExperiment(_))
    }
}

/// Runs a command, or opens the window.
pub fn run(cli: Cli) -> ExitCode {
    Processor::prefer(match cli.device {
        DeviceArg::Auto => Choice::Best,
        DeviceArg::Cpu => Choice::Cpu,
        DeviceArg::Gpu => Choice::Gpu,
    });
    let Some(command) = cli.command else {
        return window(cli.window, cli.paths, false);
    };
    if command.computes()
        && let Some(why) = &Processor::get().fallback_reason
    {
        output::warn(&format!("the network is computed on the CPU: {why}"));
    }
    let stores = command.stores();
    let result = match command {
        Command::Demo(args) => {
            let window_args = WindowArgs { library: None, renderer: args.renderer };
            return window(window_args, Vec::new(), true);
        }
        #[cfg(unix)]
        Command::Worker { memory } => reading::serve(memory).map_err(Stop::from),
        Command::Train(args) => train::run(args),
        Command::BaseModel(args) => base_model::run(args),
        Command::Index(args) => index::run(args),
        Command::Query(args) => query::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Map(args) => map::run(args),
        Command::Export(args) => export::run(args),
        Command::Library(args) => library::run(args),
        Command::BatchNorm(args) => batchnorm::run(args),
        Command::BatchNormRepair(args) => batchnorm_repair::run(args),
        Command::BatchNormExperiment(args) => batchnorm_experiment::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Cancelled) if stores => fail("cancelled; what was stored before stays"),
        Err(Stop::Cancelled) => fail("cancelled"),
        Err(Stop::Failed(error)) if error.is::<output::OutputClosed>() => ExitCode::SUCCESS,
        Err(Stop::Failed(error)) if error.is::<output::Reported>() => ExitCode::FAILURE,
        Err(Stop::Failed(error)) => fail(&advice::error_advice(error.as_ref())),
    }
}

/// Opens the window.
#[cfg(feature = "gui")]
fn window(args: WindowArgs, paths: Vec<PathBuf>, demo: bool) -> ExitCode {
    let renderer = match args.renderer {
        RendererArg::Wgpu => app::Renderer::Wgpu,
        RendererArg::Glow => app::Renderer::Glow,
    };
    let reader = reading::Reader::of_this_program();
    let options = app::Options { library: args.library, paths, demo, reader, ..app::Options::default() };
    match app::run(renderer, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

/// There is no window in a build of the command line alone.
#[cfg(not(feature = "gui"))]
fn window(_: WindowArgs, _: Vec<PathBuf>, _: bool) -> ExitCode {
    fail(
        "expected a command, found none: this build has no window. See lookalike --help, or build with the feature gui",
    )
}

/// Ends the program with one line on stderr.
fn fail(why: &str) -> ExitCode {
    output::warn(why);
    ExitCode::FAILURE
}
