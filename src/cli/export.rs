//! `lookalike export`: all samples of a library as a file.

use super::{output, watch};
use crate::escape;
use crate::export::{samples_csv, save};
use crate::job::Stop;
use crate::library::Library;
use crate::workflow::sample_rows;
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::path::PathBuf;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The library
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// Format of the file
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// sha256, label, path, size, kind, architecture, x, y
    Csv,
}

/// Writes the table.
pub fn run(args: ExportArgs) -> Result<(), Stop> {
    let library = args.library;
    let contents = watch::run(move |_| Ok(Library::open(&library)?.contents()?))?;
    let bytes = match args.format {
        Format::Csv => samples_csv(sample_rows(&contents)),
    };
    match args.output {
        None => std::io::stdout()
            .write_all(&bytes)
            .map_err(|error| Stop::Failed(format!("the output could not be written: {error}"))),
        Some(path) => {
            save(&path, &bytes)?;
            output::line(&format!(
                "{} in {}",
                output::count(contents.entries.len(), "sample"),
                escape::path(&path)
            ))
        }
    }
}
