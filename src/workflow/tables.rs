//! The exported tables, from the contents of a library.

use super::near::Near;
use super::query::Queried;
use super::verdict::{Verdict, is_calibrated, packed_text};
use crate::export::{MadeBy, MapRow, NeighbourRow, SampleRow, map_csv, neighbours_csv, samples_csv};
use crate::library::{Contents, Neighbour};
use crate::sample::Sha256;
use crate::search::Look;
use std::path::{Path, PathBuf};

/// What a table says of a queried file in each of its rows.
#[derive(Clone, Debug)]
pub struct QueriedFile {
    /// Its path.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: Sha256,
    /// The verdict, if there is one.
    pub verdict: Option<Verdict>,
    /// Whether it is packed.
    pub packed: String,
}

impl QueriedFile {
    /// The file with this path, hash and look, and what it is near to.
    pub fn new(path: &Path, sha256: Sha256, look: &Look, near: &Near) -> Self {
        Self { path: path.to_owned(), sha256, verdict: near.verdict.clone(), packed: packed_text(look) }
    }

    /// A queried sample.
    pub fn of(queried: &Queried) -> Self {
        Self::new(&queried.sample.path, queried.sample.sha256, &queried.look, &queried.near)
    }
}

/// The neighbours of one file, nearest first, as rows of a table.
pub fn neighbour_rows<'a>(
    contents: &'a Contents,
    file: &'a QueriedFile,
    neighbours: &'a [Neighbour],
) -> impl Iterator<Item = NeighbourRow<'a>> {
    let calibrated = is_calibrated(contents);
    neighbours.iter().enumerate().filter_map(move |(i, neighbour)| {
        let cosines = neighbour.cosines.unwrap_or_default();
        let entry = contents.get(neighbour.sha256)?;
        Some(NeighbourRow {
            query_path: &file.path,
            query_sha256: file.sha256,
            rank: i + 1,
            neighbour_path: entry.path,
            neighbour_sha256: entry.sha256,
            label: entry.label,
            distance: neighbour.distance,
            neighbour_kind: entry.kind,
            neighbour_size: entry.size,
            by_view: cosines.all().map(|cosine| cosine.map(|cosine| 1.0 - cosine)),
            verdict: file.verdict.as_ref().map(Verdict::name).unwrap_or_default(),
            probability: file.verdict.as_ref().and_then(Verdict::probability),
            packed: &file.packed,
            calibrated: match calibrated {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            },
        })
    })
}

/// The model and the fit that made tables of these contents.
fn made_by(contents: &Contents) -> MadeBy {
    MadeBy {
        model: contents.model_hash().map(|hash| hash.to_string()).unwrap_or_default(),
        fit: contents.fit().map(|fit| fit.to_string()).unwrap_or_default(),
    }
}

/// The neighbour table of queried samples, as CSV.
pub fn neighbour_table<'a>(contents: &Contents, queried: impl IntoIterator<Item = &'a Queried>) -> Vec<u8> {
    let files = queried.into_iter().map(|queried| (QueriedFile::of(queried), &queried.near));
    neighbour_table_of(contents, files)
}

/// The neighbour table of files, each with what it is near to, as CSV.
pub fn neighbour_table_of<'a>(
    contents: &Contents,
    files: impl IntoIterator<Item = (QueriedFile, &'a Near)>,
) -> Vec<u8> {
    let files: Vec<_> = files.into_iter().collect();
    let rows = files.iter().flat_map(|(file, near)| neighbour_rows(contents, file, &near.neighbours));
    neighbours_csv(rows, &made_by(contents))
}

/// All samples of a library, as CSV.
pub fn sample_table(contents: &Contents) -> Vec<u8> {
    let rows = contents.iter().map(|entry| SampleRow {
        sha256: entry.sha256,
        label: entry.label,
        path: entry.path,
        size: entry.size,
        kind: entry.kind,
        architecture: entry.architecture,
        place: entry.place,
    });
    samples_csv(rows, &made_by(contents))
}

/// The map of a library, as CSV. Samples without a place are skipped.
pub fn map_table(contents: &Contents) -> Vec<u8> {
    let rows = contents
        .iter()
        .filter_map(|entry| Some(MapRow { sha256: entry.sha256, label: entry.label, place: entry.place? }));
    map_csv(rows, &made_by(contents))
}
