//! A hit: one row that a search has found, and how hits are ordered.

use crate::model::Cosines;
use std::cmp::Ordering;

/// A row of a set of embeddings, and its distance from a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which row.
    pub row: usize,
    /// Cosine distance, 0 to 2; by views, 1 − the probability of one family.
    pub distance: f32,
    /// By views: the cosines that the probability follows from.
    pub cosines: Option<Cosines>,
}

impl Hit {
    /// A hit by cosine distance.
    pub fn new(row: usize, distance: f32) -> Self {
        Self { row, distance, cosines: None }
    }
}

/// Nearest first; ties by row.
pub(super) fn order(a: &Hit, b: &Hit) -> Ordering {
    a.distance.total_cmp(&b.distance).then(a.row.cmp(&b.row))
}
