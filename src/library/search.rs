//! A search in a large library: what is asked, and what is found.

use super::Among;
use crate::model::Calibration;
use crate::search::{Looks, Passing};

/// What is searched for.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// What the queries look like.
    pub queries: &'a Looks,
    /// How many neighbours each may have.
    pub k: usize,
    /// Which samples may be neighbours.
    pub among: &'a Among,
    /// Whether an engine that has an approximate index may not use it.
    pub exact: bool,
}

impl Nearest {
    /// What is nearest of both these and others.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.ids.extend(other.ids);
        self.ids.sort_unstable();
        self.ids.dedup();
        Self {
            ids: self.ids,
            count: self.count + other.count,
            approximate: self.approximate || other.approximate,
        }
    }
}

impl<'a> Search<'a> {
    /// Keeps what is nearest of samples that pass by: one more than asked for, since a sample finds itself.
    pub(super) fn passing(&self, calibration: Option<&'a Calibration>) -> Passing<'a> {
        Passing::new(self.queries, calibration, self.k.saturating_add(1))
    }
}

/// Which ids samples may have to be neighbours. Ids rise.
pub(super) enum Allowed {
    All,
    Few(Vec<i64>),
    Many(Vec<i64>),
}

impl Allowed {
    pub(super) fn has(&self, id: i64) -> bool {
        match self {
            Self::All => true,
            Self::Few(ids) | Self::Many(ids) => ids.binary_search(&id).is_ok(),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Nearest {
    /// The ids of the samples among which the nearest of each query are, in ascending order.
    pub ids: Vec<i64>,
    /// Samples of the library, as far as they are counted: of a large one perhaps not all, but more than
    /// [`PREPARED`](crate::search::PREPARED).
    pub count: usize,
    /// Whether nearer ones may have been missed.
    pub approximate: bool,
}
