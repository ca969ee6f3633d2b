//! `lookalike query`: lists the nearest samples of each file.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::library::{Contents, Library};
use crate::whole_file::save;
use crate::workflow::{
    Queried, QueriedFile, Verdict, model_name, neighbour_rows, neighbour_table, percent, query,
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// Files, or folders of files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The library
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// Number of neighbours of each file
    #[arg(short, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// Write a table instead of printing, with a row for each neighbour
    #[arg(long, value_name = "OUT.csv")]
    csv: Option<PathBuf>,
    /// Begin the table with a byte-order mark, so that Excel reads its letters right
    #[arg(long, requires = "csv")]
    excel: bool,
    /// How archives are read.
    #[command(flatten)]
    archives: ArchiveArgs,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Queries, prints, and writes the table.
pub fn run(args: QueryArgs) -> Result<(), Stop> {
    let (paths, library, k) = (args.paths, args.library, args.k as usize);
    let reader = args.archives.reader();
    let (contents, result) = events::run(args.json, &mut Printed::default(), move |run| {
        let contents = Library::open(&library)?.contents()?;
        let result = query(&paths, &contents, k, 0, &reader, run)?;
        Ok((contents, result))
    })?;
    if let Some(path) = &args.csv {
        save(path, &output::table(neighbour_table(&contents, &result.queried), args.excel))?;
    }
    let queried = &result.queried;
    if args.json {
        return queried.iter().try_for_each(|queried| print_json(queried, &contents));
    }
    match &args.csv {
        Some(path) => output::line(&format!(
            "The neighbours of {} are in {}",
            output::count(queried.len(), "file"),
            escape::path(path)
        )),
        None => queried.iter().try_for_each(|queried| print(queried, &contents)),
    }
}

fn print(queried: &Queried, contents: &Contents) -> Result<(), Stop> {
    let file = QueriedFile::of(queried);
    output::line(&format!("{}  {}", escape::path(&file.path), file.sha256.short()))?;
    if let Some(verdict) = &file.verdict {
        output::line(&format!("  {}", verdict_line(verdict)))?;
    }
    if !file.packed.is_empty() {
        output::line(&format!("  packed: {}", escape::text(&file.packed)))?;
    }
    for row in neighbour_rows(contents, &file, &queried.near.neighbours) {
        output::line(&format!(
            "  {:>3}  {:.4}  {:<20}  {}",
            row.rank,
            row.distance,
            escape::label(row.label),
            escape::path(row.neighbour_path)
        ))?;
    }
    Ok(())
}

/// The verdict as people read it.
fn verdict_line(verdict: &Verdict) -> String {
    let labels: Vec<String> = verdict.labels().into_iter().map(escape::text).collect();
    let labels = if labels.is_empty() { String::new() } else { format!(": {}", labels.join(" or ")) };
    match verdict.probability() {
        Some(probability) => format!("{}{labels} ({})", verdict.name(), percent(probability)),
        None => format!("{}{labels}", verdict.name()),
    }
}

fn print_json(queried: &Queried, contents: &Contents) -> Result<(), Stop> {
    let file = QueriedFile::of(queried);
    let neighbours: Vec<_> = neighbour_rows(contents, &file, &queried.near.neighbours)
        .map(|row| {
            json!({
                "distance_text": row.by_view[0], "distance_code": row.by_view[1], "distance_header": row.by_view[2],
                "rank": row.rank, "path": row.neighbour_path.to_string_lossy(),
                "sha256": row.neighbour_sha256.to_string(), "label": row.label.map(escape::text),
                "distance": row.distance,
            })
        })
        .collect();
    output::json(&json!({
        "event": "answer", "path": queried.sample.path.to_string_lossy(), "sha256": queried.sample.sha256.to_string(),
        "size": queried.sample.size, "kind": queried.sample.kind.name(), "neighbours": neighbours,
        "verdict": file.verdict.as_ref().map(Verdict::name),
        "labels": file.verdict.as_ref().map(|verdict| verdict.labels().into_iter().map(escape::text).collect::<Vec<_>>()),
        "probability": file.verdict.as_ref().and_then(Verdict::probability),
        "packed": (!file.packed.is_empty()).then(|| escape::text(&file.packed)),
        "model": contents.model_hash().map(|hash| hash.to_string()),
        "answered_by": contents.model().map(|model| model_name(model)),
    }))
}
