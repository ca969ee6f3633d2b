//! The program: without a subcommand it opens the window.

use clap::Parser as _;
use lookalike::cli::{self, Cli};
use std::process::ExitCode;

/// Training frees and takes the same megabytes at every step: the system's allocator gives them back
/// to the kernel each time, which cost about a tenth of a training.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    cli::run(Cli::parse())
}
