//! A hit: one row that a search has found, and how hits are ordered.

use std::cmp::Ordering;

/// A row of a set of embeddings, and its cosine distance from a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which row.
    pub row: usize,
    /// Cosine distance, 0 to 2.
    pub distance: f32,
}

/// Nearest first; ties by row.
pub(super) fn order(a: &Hit, b: &Hit) -> Ordering {
    a.distance.total_cmp(&b.distance).then(a.row.cmp(&b.row))
}
