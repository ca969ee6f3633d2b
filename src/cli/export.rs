//! `lookalike export`: writes all samples of a library to a file.

use super::events::{self, Printed};
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::whole_file::save;
use crate::workflow::{open_library, sample_table, warn_if_missing};
use clap::{Args, ValueEnum};
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
    /// The file to write [default: standard output]
    #[arg(long, short, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,
    /// Begin the table with a byte-order mark, so that Excel reads its letters right
    #[arg(long)]
    excel: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// sha256, label, path, size, kind, architecture, x, y
    Csv,
}

/// Writes the table.
pub fn run(args: ExportArgs) -> Result<(), Stop> {
    let library = args.library;
    let contents = events::run(false, &mut Printed::default(), move |run| {
        let library = open_library(&library, run)?;
        let contents = library.contents()?;
        warn_if_missing(&library, run);
        Ok(contents)
    })?;
    let table = match args.format {
        Format::Csv => output::table(sample_table(&contents), args.excel),
    };
    match args.out {
        None => output::bytes(&table),
        Some(path) => {
            save(&path, &table)?;
            output::line(&format!("{} in {}", output::count(contents.len(), "sample"), escape::path(&path)))
        }
    }
}
