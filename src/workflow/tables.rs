//! The exported tables, from the contents of a library.

use super::query::Queried;
use crate::export::{MapRow, NeighbourRow, SampleRow, map_csv, neighbours_csv, samples_csv};
use crate::library::{Contents, Neighbour};
use crate::sample::Sha256;
use std::path::Path;

/// The neighbours of one sample, nearest first, as rows of a table.
pub fn neighbour_rows<'a>(
    contents: &'a Contents,
    query_path: &'a Path,
    query_sha256: Sha256,
    neighbours: &'a [Neighbour],
) -> impl Iterator<Item = NeighbourRow<'a>> {
    neighbours.iter().enumerate().filter_map(move |(i, neighbour)| {
        let entry = contents.get(neighbour.sha256)?;
        Some(NeighbourRow {
            query_path,
            query_sha256,
            rank: i + 1,
            neighbour_path: entry.path,
            neighbour_sha256: entry.sha256,
            label: entry.label,
            distance: neighbour.distance,
            neighbour_kind: entry.kind,
            neighbour_size: entry.size,
        })
    })
}

/// The neighbour table of queried samples, as CSV.
pub fn neighbour_table<'a>(contents: &Contents, queried: impl IntoIterator<Item = &'a Queried>) -> Vec<u8> {
    neighbours_csv(queried.into_iter().flat_map(|queried| {
        let sample = &queried.sample;
        neighbour_rows(contents, &sample.path, sample.sha256, &queried.near.neighbours)
    }))
}

/// All samples of a library, as CSV.
pub fn sample_table(contents: &Contents) -> Vec<u8> {
    samples_csv(contents.iter().map(|entry| SampleRow {
        sha256: entry.sha256,
        label: entry.label,
        path: entry.path,
        size: entry.size,
        kind: entry.kind,
        architecture: entry.architecture,
        place: entry.place,
    }))
}

/// The map of a library, as CSV. Samples without a place are skipped.
pub fn map_table(contents: &Contents) -> Vec<u8> {
    map_csv(
        contents.iter().filter_map(|entry| {
            Some(MapRow { sha256: entry.sha256, label: entry.label, place: entry.place? })
        }),
    )
}
