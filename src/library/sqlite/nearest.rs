//! What is nearest in the segments of a library file: candidates by what the segments have, compared exactly by what the library has.

use super::blocks::removed;
use super::large::LargeLibrary;
use super::segments::{Kind, Usable, usable};
use super::version::WITH_SEGMENTS;
use crate::library::partly_read::Part;
use crate::library::row::parse_vector;
use crate::library::search::Allowed;
use crate::library::{LibraryError, Nearest, PartlyRead, Search};
use crate::model::Calibration;
use crate::search::{AGAIN, Segment, ViewSegment, candidates, nearest_of, view_candidates};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::HashSet;
use std::io;

/// More candidates of a query are compared faster by reading all samples in their order.
const MANY: usize = 20_000;
/// Candidates that are read at once.
const TOGETHER: usize = 512;

impl LargeLibrary<'_> {
    /// The usable segments of its model; `None` if it has none.
    pub(super) fn segments(&self) -> Result<Option<Vec<Usable>>, LibraryError> {
        let kind = Kind::of(&self.model).filter(|_| self.library.version() >= WITH_SEGMENTS);
        let Some(kind) = kind else { return Ok(None) };
        let folder = self.library.segment_folder();
        let found = self.library.sqlite(|connection| usable(connection, &folder, self.id, kind))?;
        Ok((!found.is_empty()).then_some(found))
    }

    /// What is nearest in segments; `None` if one of them is damaged, or is of no help for these queries.
    pub(super) fn nearest_in(
        &self,
        segments: &[Usable],
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        allowed: &Allowed,
    ) -> Part<Nearest> {
        let removed = self.library.sqlite(|connection| removed(self.library, connection))?;
        let is_allowed = |id: i64| !removed.contains(&id) && allowed.has(id);
        let ids = match calibration {
            Some(calibration) => self.nearest_by_views(segments, search, calibration, &is_allowed)?,
            None => self.nearest_by_vectors(segments, search, &is_allowed)?,
        };
        Ok(ids.map(|mut ids| {
            ids.sort_unstable();
            ids.dedup();
            let count: usize = segments.iter().map(|usable| usable.segment.count()).sum();
            Nearest { ids, count: count.saturating_sub(within(&removed, segments)), approximate: false }
        }))
    }

    fn nearest_by_vectors(
        &self,
        segments: &[Usable],
        search: &Search<'_>,
        allowed: &(impl Fn(i64) -> bool + Sync),
    ) -> Part<Vec<i64>> {
        let files: Option<Vec<&Segment>> = segments.iter().map(|usable| usable.segment.vectors()).collect();
        let (Some(files), embeddings) = (files, &search.queries.embeddings) else { return Ok(None) };
        let k = search.k.saturating_add(1);
        let Some(found) = read(candidates(&files, embeddings, k, allowed)) else { return Ok(None) };
        self.library.part(|connection| {
            let mut ids = Vec::new();
            for (found, query) in found.into_iter().zip(embeddings.rows()) {
                let vector = |id| self.vector(connection, id, embeddings.dimension);
                ids.extend(nearest_of(found, query, k, vector)?.into_iter().map(|(_, id)| id));
            }
            Ok(Some(ids))
        })
    }

    /// The embedding of a sample, if it is there and valid.
    fn vector(
        &self,
        connection: &Connection,
        id: i64,
        dimension: usize,
    ) -> rusqlite::Result<Option<Vec<f32>>> {
        let found = connection
            .prepare_cached("SELECT vector FROM embeddings WHERE model = ?1 AND sample = ?2")?
            .query_row([self.id, id], |row| {
                let mut vector = Vec::new();
                let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
                Ok(parse_vector(bytes, dimension, &mut vector).map(|()| vector))
            })
            .optional()?;
        Ok(found.flatten())
    }

    fn nearest_by_views(
        &self,
        segments: &[Usable],
        search: &Search<'_>,
        calibration: &Calibration,
        allowed: &(impl Fn(i64) -> bool + Sync),
    ) -> Part<Vec<i64>> {
        let files: Option<Vec<&ViewSegment>> = segments.iter().map(|usable| usable.segment.views()).collect();
        let Some(files) = files else { return Ok(None) };
        let queries = search.queries;
        let k = search.k.saturating_add(1).max(AGAIN);
        let mut ids = Vec::new();
        for query in 0..queries.len() {
            // Every sample is as far from a file that nothing can be seen of: which are nearest is up to their embeddings.
            if queries.views.get(query).is_none_or(|views| views.abstain() || views.hash.is_some()) {
                return Ok(None);
            }
            let found = view_candidates(&files, calibration, queries, query, k, allowed);
            let Some(mut found) = read(found) else { return Ok(None) };
            if found.len() > MANY {
                return Ok(None);
            }
            found.sort_unstable();
            let mut passing = search.passing(Some(calibration));
            for some in found.chunks(TOGETHER) {
                let Some(looks) = (self as &dyn PartlyRead).looks(some)? else { return Ok(None) };
                passing.pass(&looks, some, |_| true);
            }
            ids.extend(passing.numbers());
        }
        Ok(Some(ids))
    }
}

/// What was read of segments; `None` if one of them could not be.
fn read<T>(found: io::Result<T>) -> Option<T> {
    found.inspect_err(|error| tracing::warn!("the search index was not used: {error}")).ok()
}

/// How many of these samples are in segments.
fn within(samples: &HashSet<i64>, segments: &[Usable]) -> usize {
    samples.iter().filter(|id| segments.iter().any(|usable| usable.ids.contains(id))).count()
}
