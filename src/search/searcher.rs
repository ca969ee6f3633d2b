//! Many queries at once: the same exact results as [`nearest`], through codes of one byte a number.
//!
//! Blocks of the library's codes stay in cache while all queries are compared with them. Each query keeps
//! the rows whose product of codes could still be among the k best; at the end only those are compared
//! exactly.
//!
//! [`nearest`]: super::nearest

use super::codes::{Codes, Queries, TOGETHER};
use super::exact::distance;
use super::hit::{Hit, order};
use crate::model::Embeddings;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that stay in cache: 16 KiB of codes of 64 numbers.
const BLOCK: usize = 256;
/// Rows of one task.
const PART: usize = 128 * BLOCK;
/// Queries of one task.
const SOME: usize = 64;

/// A set of embeddings prepared for many queries.
pub struct Searcher {
    codes: Codes,
}

/// What one query has found so far.
#[derive(Clone)]
struct Found {
    /// Rows that may be among the k best, with the product of their codes.
    rows: Vec<(f32, u32)>,
    /// The k-th best product so far, less twice the error: rows below it are ignored.
    least: f32,
    /// Prune again at this many rows: twice what the last pruning left, so that pruning rows that are all
    /// alike costs no more than finding them.
    enough: usize,
}

/// Fewer rows than this are not worth pruning.
const FEW: usize = 256;

impl Found {
    fn new() -> Self {
        Self { rows: Vec::new(), least: f32::NEG_INFINITY, enough: FEW }
    }

    /// Removes rows that can no longer be among the k best.
    fn prune(&mut self, k: usize, slack: f32) {
        if self.rows.len() <= k {
            return;
        }
        let (_, kth, _) = self.rows.select_nth_unstable_by(k - 1, |a, b| b.0.total_cmp(&a.0));
        self.least = self.least.max(kth.0 - slack);
        let least = self.least;
        self.rows.retain(|(product, _)| *product >= least);
        self.enough = (2 * self.rows.len()).max(FEW);
    }
}

impl Searcher {
    /// Prepares `library`, in one pass.
    pub fn new(library: &Embeddings) -> Self {
        Self { codes: Codes::new(library) }
    }

    /// For each row of `queries` its `k` nearest rows of `library`, nearest first, ties by row. `library` is
    /// what [`Self::new`] was given; all rows have unit length.
    pub fn nearest(&self, library: &Embeddings, queries: &Embeddings, k: usize) -> Vec<Vec<Hit>> {
        let n = library.len();
        if k == 0 || queries.dimension != library.dimension || self.codes.len() != n || n == 0 {
            return vec![Vec::new(); queries.len()];
        }
        let prepared = Queries::new(queries);
        let slack = 2.0 * self.codes.error_bound(&prepared);
        // A task is a part of the library with some of the queries: work for all cores whether there are
        // many rows or many queries.
        let parts = n.div_ceil(PART);
        let found: Vec<Vec<Found>> = (0..parts * queries.len().div_ceil(SOME))
            .into_par_iter()
            .map(|task| {
                let (part, first) = (task % parts, task / parts * SOME);
                let rows = part * PART..((part + 1) * PART).min(n);
                self.part(rows, &prepared, first..(first + SOME).min(queries.len()), k, slack)
            })
            .collect();
        (0..queries.len())
            .into_par_iter()
            .map(|query| {
                let mut all = Found::new();
                let tasks = found.iter().skip(query / SOME * parts).take(parts);
                for part in tasks.filter_map(|task| task.get(query % SOME)) {
                    all.rows.extend(&part.rows);
                }
                all.prune(k, slack);
                exact(library, queries.row(query), &all.rows, k)
            })
            .collect()
    }

    /// The hits of the queries `which` among `rows`.
    fn part(
        &self,
        rows: Range<usize>,
        queries: &Queries,
        which: Range<usize>,
        k: usize,
        slack: f32,
    ) -> Vec<Found> {
        let mut found = vec![Found::new(); which.len()];
        for start in rows.clone().step_by(BLOCK) {
            let block = start..(start + BLOCK).min(rows.end);
            for (four, first) in found.chunks_mut(TOGETHER).zip(which.clone().step_by(TOGETHER)) {
                let mut least = [f32::INFINITY; TOGETHER];
                for (least, found) in least.iter_mut().zip(four.iter()) {
                    *least = found.least;
                }
                self.codes.scan(block.clone(), queries, first, &least, |query, row, product| {
                    if let Some(found) = four.get_mut(query) {
                        found.rows.push((product, row as u32));
                    }
                });
                for found in four {
                    if found.rows.len() >= found.enough.max(2 * k) {
                        found.prune(k, slack);
                    }
                }
            }
        }
        for found in &mut found {
            found.prune(k, slack);
        }
        found
    }
}

fn exact(library: &Embeddings, query: &[f32], rows: &[(f32, u32)], k: usize) -> Vec<Hit> {
    let mut found: Vec<Hit> = rows
        .iter()
        .map(|(_, row)| {
            let row = *row as usize;
            Hit::new(row, distance(library.row(row), query))
        })
        .collect();
    found.sort_unstable_by(order);
    found.truncate(k);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::nearest;
    use rand::{Rng as _, SeedableRng as _};

    #[test]
    fn answers_are_those_of_looking_at_every_vector_including_ties() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(9);
        for (n, dimension, count) in [(1, 3, 1), (40, 8, 5), (3000, 64, 7), (70_000, 16, 3)] {
            let mut library = Embeddings::new(dimension);
            for i in 0..n {
                // Every third row repeats an earlier one: ties.
                if i % 3 == 2 {
                    let before = library.row(i / 2).to_vec();
                    library.data.extend(before);
                    continue;
                }
                let row: Vec<f32> = (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect();
                let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
                library.data.extend(row.iter().map(|v| v / length));
            }
            let queries = Embeddings { dimension, data: library.data[..count * dimension].to_vec() };
            let searcher = Searcher::new(&library);
            for k in [1, 10, 100] {
                let found = searcher.nearest(&library, &queries, k);
                for (query, found) in queries.rows().zip(found) {
                    assert_eq!(found, nearest(&library, query, k, |_| false), "{n} {dimension} {k}");
                }
            }
        }
        let searcher = Searcher::new(&Embeddings::new(4));
        assert_eq!(searcher.nearest(&Embeddings::new(4), &Embeddings::new(4), 3), Vec::<Vec<_>>::new());
    }
}
