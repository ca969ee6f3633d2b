//! `lookalike query`: the nearest known samples of each file.

use super::passwords::PasswordArgs;
use super::{output, watch};
use crate::escape;
use crate::export::{NeighbourRow, neighbours_csv, save};
use crate::job::Stop;
use crate::library::{Contents, Library};
use crate::workflow::{Answer, ask, neighbour_rows};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// Files, or folders of files
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The library that answers
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// Neighbours of each file
    #[arg(short, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// Write a table, a row a neighbour
    #[arg(long, value_name = "OUT.csv")]
    csv: Option<PathBuf>,
    /// Of encrypted archives.
    #[command(flatten)]
    passwords: PasswordArgs,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Asks, prints, and writes the table if wanted.
pub fn run(args: QueryArgs) -> Result<(), Stop> {
    let (paths, library, k) = (args.paths, args.library, args.k as usize);
    let reader = args.passwords.reader();
    let (contents, done) = watch::run(move |reporter| {
        let contents = Library::open(&library)?.contents()?;
        let done = ask(&paths, &contents, k, 0, &reader, reporter)?;
        Ok((contents, done))
    })?;
    if let Some(model) = &contents.model {
        output::warn_of(&model.config);
    }
    output::skipped(&done.skipped, args.json)?;
    if let Some(path) = &args.csv {
        save(path, &neighbours_csv(done.answers.iter().flat_map(|answer| rows(answer, &contents))))?;
    }
    if args.json {
        return done.answers.iter().try_for_each(|answer| print_json(answer, &contents));
    }
    match &args.csv {
        Some(path) => output::line(&format!(
            "{} answered in {}",
            output::count(done.answers.len(), "file"),
            escape::path(path)
        )),
        None => done.answers.iter().try_for_each(|answer| print(answer, &contents)),
    }
}

fn rows<'a>(answer: &'a Answer, contents: &'a Contents) -> impl Iterator<Item = NeighbourRow<'a>> {
    neighbour_rows(contents, &answer.sample.path, answer.sample.sha256, &answer.neighbours)
}

fn print(answer: &Answer, contents: &Contents) -> Result<(), Stop> {
    output::line(&format!("{}  {}", escape::path(&answer.sample.path), answer.sample.sha256.short()))?;
    for row in rows(answer, contents) {
        output::line(&format!(
            "  {:>3}  {:.4}  {:<20}  {}",
            row.rank,
            row.distance,
            row.label.map_or_else(|| "(no label)".into(), escape::text),
            escape::path(row.neighbour_path)
        ))?;
    }
    Ok(())
}

fn print_json(answer: &Answer, contents: &Contents) -> Result<(), Stop> {
    let neighbours: Vec<_> = rows(answer, contents)
        .map(|row| {
            json!({
                "rank": row.rank, "path": escape::path(row.neighbour_path),
                "sha256": row.neighbour_sha256.to_string(), "label": row.label.map(escape::text),
                "distance": row.distance,
            })
        })
        .collect();
    output::json(&json!({
        "event": "answer", "path": escape::path(&answer.sample.path), "sha256": answer.sample.sha256.to_string(),
        "size": answer.sample.size, "kind": answer.sample.kind.name(), "neighbours": neighbours,
    }))
}
