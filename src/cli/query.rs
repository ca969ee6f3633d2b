//! `lookalike query`: lists the nearest samples of each file, or of samples that the library has.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::library::{Contents, Library};
use crate::whole_file::save;
use crate::workflow::{
    KnownSample, Near, Queried, QueriedFile, Verdict, find_sample, model_name, neighbour_rows,
    neighbour_table_of, percent, query, query_known,
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// Files, or folders of files
    #[arg(required_unless_present = "sha256")]
    paths: Vec<PathBuf>,
    /// Samples that the library has, by their SHA-256 or its first digits, six or more; their files are not needed
    #[arg(long, value_name = "HEX", num_args = 1..)]
    sha256: Vec<String>,
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
    let (paths, hashes, library, k) = (args.paths, args.sha256, args.library, args.k as usize);
    let reader = args.archives.reader();
    let (contents, queried, known) = events::run(args.json, &mut Printed::default(), move |run| {
        let contents = Library::open(&library)?.contents()?;
        let hashes = hashes.iter().map(|hex| find_sample(&contents, hex)).collect::<Result<Vec<_>, _>>()?;
        let known = query_known(&contents, &hashes, k, run)?;
        let queried =
            if paths.is_empty() { Vec::new() } else { query(&paths, &contents, k, 0, &reader, run)?.queried };
        Ok((contents, queried, known))
    })?;
    let mut answers: Vec<Answer<'_>> = queried.iter().map(Answer::of).collect();
    answers.extend(known.iter().filter_map(|known| Answer::of_known(known, &contents)));
    if let Some(path) = &args.csv {
        let files = answers.iter().map(|answer| (answer.file.clone(), answer.near));
        save(path, &output::table(neighbour_table_of(&contents, files), args.excel))?;
    }
    if args.json {
        return answers.iter().try_for_each(|answer| print_json(answer, &contents));
    }
    match &args.csv {
        Some(path) => output::line(&format!(
            "The neighbours of {} are in {}",
            output::count(answers.len(), "file"),
            escape::path(path)
        )),
        None => answers.iter().try_for_each(|answer| print(answer, &contents)),
    }
}

/// What is printed of one file.
struct Answer<'a> {
    file: QueriedFile,
    near: &'a Near,
    size: u64,
    kind: &'a str,
}

impl<'a> Answer<'a> {
    fn of(queried: &'a Queried) -> Self {
        let sample = &queried.sample;
        let file = QueriedFile::of(queried);
        Self { file, near: &queried.near, size: sample.size, kind: sample.kind.name() }
    }

    fn of_known(known: &'a KnownSample, contents: &'a Contents) -> Option<Self> {
        let (file, entry) = known.in_tables(contents)?;
        Some(Self { file, near: &known.near, size: entry.size, kind: entry.kind })
    }
}

fn print(answer: &Answer<'_>, contents: &Contents) -> Result<(), Stop> {
    let file = &answer.file;
    output::line(&format!("{}  {}", escape::path(&file.path), file.sha256.short()))?;
    if let Some(verdict) = &file.verdict {
        output::line(&format!("  {}", verdict_line(verdict)))?;
    }
    if !file.packed.is_empty() {
        output::line(&format!("  packed: {}", escape::text(&file.packed)))?;
    }
    for row in neighbour_rows(contents, file, &answer.near.neighbours) {
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

fn print_json(answer: &Answer<'_>, contents: &Contents) -> Result<(), Stop> {
    let file = &answer.file;
    let neighbours: Vec<_> = neighbour_rows(contents, file, &answer.near.neighbours)
        .map(|row| {
            json!({
                "distance_text": row.by_view[0], "distance_code": row.by_view[1], "distance_header": row.by_view[2],
                "distance_image": row.by_view[3], "distance_hash": row.by_view[4],
                "rank": row.rank, "path": row.neighbour_path.to_string_lossy(),
                "sha256": row.neighbour_sha256.to_string(), "label": row.label.map(escape::text),
                "distance": row.distance,
            })
        })
        .collect();
    output::json(&json!({
        "event": "answer", "path": file.path.to_string_lossy(), "sha256": file.sha256.to_string(),
        "size": answer.size, "kind": answer.kind, "neighbours": neighbours,
        "verdict": file.verdict.as_ref().map(Verdict::name),
        "labels": file.verdict.as_ref().map(|verdict| verdict.labels().into_iter().map(escape::text).collect::<Vec<_>>()),
        "probability": file.verdict.as_ref().and_then(Verdict::probability),
        "packed": (!file.packed.is_empty()).then(|| escape::text(&file.packed)),
        "model": contents.model_hash().map(|hash| hash.to_string()),
        "answered_by": contents.model().map(|model| model_name(model)),
    }))
}
