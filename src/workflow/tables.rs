//! The rows of the tables that leave the program, made from a library's contents.

use crate::export::{MapRow, NeighbourRow, SampleRow};
use crate::library::Contents;
use crate::sample::Sha256;
use crate::search::Neighbour;
use std::path::Path;

/// The neighbours of one file, nearest first.
pub fn neighbour_rows<'a>(
    contents: &'a Contents,
    query_path: &'a Path,
    query_sha256: Sha256,
    neighbours: &'a [Neighbour],
) -> impl Iterator<Item = NeighbourRow<'a>> {
    neighbours.iter().enumerate().filter_map(move |(i, neighbour)| {
        let entry = contents.entries.get(neighbour.index)?;
        Some(NeighbourRow {
            query_path,
            query_sha256,
            rank: i + 1,
            neighbour_path: &entry.path,
            neighbour_sha256: entry.sha256,
            label: entry.label.as_deref(),
            distance: neighbour.distance,
            neighbour_kind: &entry.kind,
            neighbour_size: entry.size,
        })
    })
}

/// All samples.
pub fn sample_rows(contents: &Contents) -> impl Iterator<Item = SampleRow<'_>> {
    contents.entries.iter().enumerate().map(|(i, entry)| SampleRow {
        sha256: entry.sha256,
        label: entry.label.as_deref(),
        path: &entry.path,
        size: entry.size,
        kind: &entry.kind,
        architecture: entry.architecture.as_deref(),
        place: contents.places.get(i).copied(),
    })
}

/// All places.
pub fn map_rows(contents: &Contents) -> impl Iterator<Item = MapRow<'_>> {
    contents.entries.iter().zip(&contents.places).map(|(entry, place)| MapRow {
        sha256: entry.sha256,
        label: entry.label.as_deref(),
        place: *place,
    })
}
