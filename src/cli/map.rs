//! `lookalike map`: the 2-D projection of a library.

use super::{output, watch};
use crate::escape;
use crate::export::{map_csv, save};
use crate::job::Stop;
use crate::library::Library;
use crate::projection::trustworthiness;
use crate::workflow::{MapMethod, map_library, map_rows};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Neighbours by which the map's trustworthiness is told.
const K: usize = 15;

/// Arguments of `map`.
#[derive(Debug, Args)]
pub struct MapArgs {
    /// The library
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// Where to write sha256, label, x, y
    #[arg(long, value_name = "OUT.csv")]
    csv: PathBuf,
    /// How to lay out
    #[arg(long, value_enum, default_value_t = MethodArg::Umap)]
    method: MethodArg,
    /// Seed of all randomness
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MethodArg {
    /// Neighbours stay together
    Umap,
    /// Along the two directions of largest spread
    Pca,
}

/// Lays out, keeps the places in the library, and writes the table.
pub fn run(args: MapArgs) -> Result<(), Stop> {
    let method = match args.method {
        MethodArg::Umap => MapMethod::Umap,
        MethodArg::Pca => MapMethod::Pca,
    };
    let (library, seed) = (args.library, args.seed);
    let (contents, trust) = watch::run(move |reporter| {
        let mut library = Library::open(&library)?;
        let contents = map_library(&mut library, method, seed, reporter)?;
        let trust = trustworthiness(&contents.embeddings, &contents.places, K);
        Ok((contents, trust))
    })?;
    save(&args.csv, &map_csv(map_rows(&contents)))?;
    if args.json {
        return output::json(&json!({
            "event": "done", "csv": escape::path(&args.csv), "samples": contents.entries.len(),
            "trustworthiness": trust,
        }));
    }
    output::line(&format!(
        "{} laid out in {}; trustworthiness (k = {K}) {trust:.3}",
        output::count(contents.entries.len(), "sample"),
        escape::path(&args.csv)
    ))
}
