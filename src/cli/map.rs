//! `lookalike map`: the 2-D projection of a library.

use super::events::{self, Printed};
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::library::Layout;
use crate::whole_file::save;
use crate::workflow::{
    MapMethod, MapStart, map_library, map_table, open_library, read_contents, trust_of_map, warn_if_missing,
};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Neighbours for the trustworthiness of the map.
const K: usize = 15;

/// Arguments of `map`.
#[derive(Debug, Args)]
pub struct MapArgs {
    /// The library
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// The table to write: sha256, label, x, y
    #[arg(long, value_name = "OUT.csv")]
    csv: PathBuf,
    /// Begin the table with a byte-order mark, so that Excel reads its letters right
    #[arg(long)]
    excel: bool,
    /// How to compute the map
    #[arg(long, value_enum, default_value_t = MethodArg::Umap)]
    method: MethodArg,
    /// Seed of all randomness
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object per line
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

/// Computes the map, stores it in the library, and writes the table.
pub fn run(args: MapArgs) -> Result<(), Stop> {
    let method = match args.method {
        MethodArg::Umap => MapMethod::Umap,
        MethodArg::Pca => MapMethod::Pca,
    };
    let (library, seed) = (args.library, args.seed);
    let (contents, trust, from_copy) = events::run(args.json, &mut Printed::default(), move |run| {
        let mut library = open_library(&library, run)?;
        let mut contents = read_contents(&mut library)?;
        warn_if_missing(&library, run);
        let places = map_library(&contents, &mut library, method, MapStart::FromSamples, seed, run)?;
        let trust = trust_of_map(&contents, &library, &places, K, run)?;
        contents.set_places(places, Layout::Finished);
        Ok((contents, trust, library.as_copy().cloned()))
    })?;
    save(&args.csv, &output::table(map_table(&contents), args.excel))?;
    if args.json {
        return output::json(&json!({
            "event": "done", "csv": args.csv.to_string_lossy(), "samples": contents.len(),
            "trustworthiness": trust, "from_copy": from_copy.as_ref().map(output::from_copy_json),
        }));
    }
    output::line(&format!(
        "{} on the map in {}; trustworthiness (k = {K}) {trust:.3}",
        output::count(contents.len(), "sample"),
        escape::path(&args.csv)
    ))
}
