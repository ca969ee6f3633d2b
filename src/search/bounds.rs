//! Candidates: vectors that could still be among the k nearest of a query, by the bounds that their codes give.

use super::code_scan::TOGETHER;
use super::codes::{Codes, Queries};
use std::ops::Range;

/// Rows that stay in cache: 16 KiB of codes of 64 numbers.
pub const BLOCK: usize = 256;
/// Fewer rows than this are not worth pruning.
const FEW: usize = 256;

/// A vector that may be among the k nearest.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<T> {
    /// The bounds of its distance.
    pub least: f32,
    pub most: f32,
    /// Which vector.
    pub vector: T,
}

/// The distance within which there are certainly `k` of the candidates.
pub fn limit<T>(found: &mut [Candidate<T>], k: usize) -> f32 {
    if found.len() < k {
        return f32::INFINITY;
    }
    found.select_nth_unstable_by(k - 1, |a, b| a.most.total_cmp(&b.most)).1.most
}

/// What one query has found so far in some rows of codes.
pub struct Best {
    /// Rows that may be among the k best, with their scores.
    rows: Vec<(f32, u32)>,
    /// A distance is `base` less the score, give or take `slack`.
    base: f32,
    slack: f32,
    /// Rows of lower scores are ignored: the k-th best score so far, less twice the slack.
    least: f32,
    /// Prune again at this many rows: twice what the last pruning left, so that pruning rows that are all
    /// alike costs no more than finding them.
    enough: usize,
}

impl Best {
    /// Nothing yet of query `query` of `queries`; rows that are farther than `limit` are ignored.
    pub fn new(codes: &Codes, queries: &Queries, query: usize, limit: f32) -> Self {
        let (base, slack) = (codes.base(queries, query), codes.slack(queries, query));
        Self { rows: Vec::new(), base, slack, least: base - slack - limit, enough: FEW }
    }

    /// Removes rows that can no longer be among the k best.
    fn prune(&mut self, k: usize) {
        if self.rows.len() <= k {
            return;
        }
        let (_, kth, _) = self.rows.select_nth_unstable_by(k - 1, |a, b| b.0.total_cmp(&a.0));
        self.least = self.least.max(kth.0 - 2.0 * self.slack);
        let least = self.least;
        self.rows.retain(|(score, _)| *score >= least);
        self.enough = (2 * self.rows.len()).max(FEW);
    }

    /// What may be among the `k` nearest, by row.
    pub fn candidates(mut self, k: usize) -> impl Iterator<Item = Candidate<usize>> {
        self.prune(k);
        let Self { rows, base, slack, .. } = self;
        rows.into_iter().map(move |(score, row)| Candidate {
            least: base - score - slack,
            most: base - score + slack,
            vector: row as usize,
        })
    }
}

/// Compares rows of codes with all `queries`, and adds to the `best` of each the `allowed` rows that may be among its `k` nearest.
pub fn scan(
    codes: &Codes,
    rows: Range<usize>,
    queries: &Queries,
    k: usize,
    allowed: impl Fn(usize) -> bool,
    best: &mut [Best],
) {
    for start in rows.clone().step_by(BLOCK) {
        let block = start..(start + BLOCK).min(rows.end);
        for (i, four) in best.chunks_mut(TOGETHER).enumerate() {
            let mut least = [f32::INFINITY; TOGETHER];
            for (least, best) in least.iter_mut().zip(four.iter()) {
                *least = best.least;
            }
            codes.scan(block.clone(), queries, i * TOGETHER, &least, |query, row, score| {
                if let Some(best) = four.get_mut(query).filter(|_| allowed(row)) {
                    best.rows.push((score, row as u32));
                }
            });
            for best in four {
                if best.rows.len() >= best.enough.max(2 * k) {
                    best.prune(k);
                }
            }
        }
    }
}
