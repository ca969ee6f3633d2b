//! `lookalike query`: lists the nearest samples of each file, or of samples that the library has.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::output::{self, from_copy_json};
use crate::escape;
use crate::job::Stop;
use crate::library::{Among, Contents, FromCopy, Library, Missing};
use crate::whole_file::save;
use crate::workflow::{
    Answers, KnownSample, Near, OutOfRange, Queried, QueriedFile, Question, Run, SharedTrait, Verdict,
    calibration_text, facts_of, is_calibrated, model_name, neighbour_rows, neighbour_table_of, open_library,
    percent, query_library, shared_rare,
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// Files, or folders of files
    #[arg(required_unless_present = "hash")]
    paths: Vec<PathBuf>,
    /// Samples that the library has, by their SHA-256, SHA-1 or MD5, or the first digits of a SHA-256, six or more; their
    /// files are not needed
    #[arg(long, alias = "sha256", value_name = "HEX", num_args = 1..)]
    hash: Vec<String>,
    /// The library
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// Number of neighbours of each file
    #[arg(short, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// Only neighbours with one of these labels; then there is no verdict
    #[arg(long, value_name = "LABEL", num_args = 1..)]
    label: Vec<String>,
    /// Compare every sample, where a team's library would answer from an approximate index
    #[arg(long)]
    exact: bool,
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
    let among = if args.label.is_empty() { Among::All } else { Among::Labels(args.label) };
    let (paths, hashes, k, exact) = (args.paths, args.hash, args.k as usize, args.exact);
    let question = Question { paths, hashes, k, among, exact };
    let library = args.library;
    let reader = args.archives.reader();
    let with_traits = args.json;
    let (answers, shared, from_copy) = events::run(args.json, &mut Printed::default(), move |run| {
        let library = open_library(&library, run)?;
        let answers = query_library(&library, &question, &reader, run)?;
        let Answers { queried, known, .. } = &answers;
        let shared = if with_traits { shared(&library, queried, known, run)? } else { Vec::new() };
        Ok((answers, shared, library.as_copy().cloned()))
    })?;
    let Answers { contents, queried, known, approximate, missing } = answers;
    let mut answers: Vec<Answer<'_>> = queried.iter().map(Answer::of).collect();
    answers.extend(known.iter().filter_map(|known| Answer::of_known(known, &contents)));
    if let Some(path) = &args.csv {
        let files = answers.iter().map(|answer| (answer.file.clone(), answer.near));
        save(path, &output::table(neighbour_table_of(&contents, files), args.excel))?;
    }
    if args.json {
        return answers.iter().zip(&shared).try_for_each(|(answer, shared)| {
            print_json(answer, shared, &contents, approximate, (missing.as_ref(), from_copy.as_ref()))
        });
    }
    if approximate {
        output::line("Nearer samples may have been missed: with --exact every one is compared")?;
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

/// What each file, then each sample, shares with the nearest sample that is not the same.
fn shared(
    library: &Library,
    queried: &[Queried],
    known: &[KnownSample],
    run: &Run<'_>,
) -> Result<Vec<Vec<SharedTrait>>, Stop> {
    let files = queried.iter().map(|file| (file.sample.facts.as_deref(), file.sample.sha256, &file.near));
    let files = files.chain(known.iter().map(|sample| (None, sample.sha256, &sample.near)));
    let mut pairs = Vec::new();
    for (own, sha256, near) in files {
        let facts = facts_of(library, own, sha256)?.unwrap_or_default();
        let other = near.neighbours.iter().find(|neighbour| neighbour.sha256 != sha256);
        pairs.push((facts, other.map_or(sha256, |other| other.sha256)));
    }
    let pairs: Vec<_> = pairs.iter().map(|(facts, sha256)| (facts, *sha256)).collect();
    shared_rare(library, &pairs, run)
}

fn shared_json(shared: &SharedTrait) -> serde_json::Value {
    json!({
        "kind": shared.kind.name(), "name": shared.name.as_deref().map(escape::text), "hash": shared.hash_text(),
        "samples": shared.counted.samples, "of": shared.counted.of,
    })
}

/// What is printed of one file.
struct Answer<'a> {
    file: QueriedFile,
    near: &'a Near,
    out_of_range: Option<OutOfRange>,
    size: u64,
    kind: &'a str,
}

impl<'a> Answer<'a> {
    fn of(queried: &'a Queried) -> Self {
        let sample = &queried.sample;
        let file = QueriedFile::of(queried);
        Self {
            file,
            near: &queried.near,
            out_of_range: queried.out_of_range,
            size: sample.size,
            kind: sample.kind.name(),
        }
    }

    fn of_known(known: &'a KnownSample, contents: &'a Contents) -> Option<Self> {
        let (file, entry) = known.in_tables(contents)?;
        Some(Self { file, near: &known.near, out_of_range: None, size: entry.size, kind: entry.kind })
    }
}

fn print(answer: &Answer<'_>, contents: &Contents) -> Result<(), Stop> {
    let file = &answer.file;
    output::line(&format!("{}  {}", escape::path(&file.path), file.sha256.short()))?;
    if let Some(verdict) = &file.verdict {
        output::line(&format!("  {}", verdict_line(verdict, contents)))?;
    }
    if !file.packed.is_empty() {
        output::line(&format!("  packed: {}", escape::text(&file.packed)))?;
    }
    if let Some(out_of_range) = answer.out_of_range {
        output::line(&format!("  {out_of_range}"))?;
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
fn verdict_line(verdict: &Verdict, contents: &Contents) -> String {
    let labels: Vec<String> = verdict.labels().into_iter().map(escape::text).collect();
    let labels = if labels.is_empty() { String::new() } else { format!(": {}", labels.join(" or ")) };
    match verdict.probability() {
        Some(probability) => {
            let doubt = if is_calibrated(contents) == Some(false) { ", not calibrated" } else { "" };
            format!("{}{labels} ({}{doubt})", verdict.name(), percent(probability))
        }
        None => format!("{}{labels}", verdict.name()),
    }
}

fn print_json(
    answer: &Answer<'_>,
    shared: &[SharedTrait],
    contents: &Contents,
    approximate: bool,
    (missing, from_copy): (Option<&Missing>, Option<&FromCopy>),
) -> Result<(), Stop> {
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
        "shared_rare": shared.iter().map(shared_json).collect::<Vec<_>>(),
        "out_of_range": answer.out_of_range.map(|out| json!({
            "shift": out.shift, "above": out.above, "text": out.to_string(),
        })),
        "packed": (!file.packed.is_empty()).then(|| escape::text(&file.packed)),
        "model": contents.model_hash().map(|hash| hash.to_string()),
        "answered_by": contents.model().map(|model| model_name(model)),
        "from_copy": from_copy.map(from_copy_json),
        "approximate": approximate,
        "missing": missing.map(|missing| json!({
            "shards": missing.why.len(), "of": missing.of, "percent": missing.percent(), "why": missing.why,
        })),
        "calibrated": is_calibrated(contents), "calibration": calibration_text(contents),
        "fit": contents.fit().map(|fit| json!({
            "version": fit.version, "hash": fit.hash.to_string(), "files": fit.files, "labels": fit.labels,
        })),
    }))
}
