//! The nearest of samples that pass by in blocks, so that only the best so far are kept: which ones, not how near. A search among
//! those that were kept finds what a search among all finds.

use super::combined::{AGAIN, most_alike};
use super::exact::nearest;
use super::look::Looks;
use crate::model::Calibration;
use std::cmp::Ordering;

/// One that was kept: how near it is, the higher the nearer, and its number.
type Kept = (f32, i64);

/// The best so far of some queries.
pub struct Passing<'a> {
    queries: &'a Looks,
    calibration: Option<&'a Calibration>,
    k: usize,
    kept: Vec<Vec<Kept>>,
}

impl<'a> Passing<'a> {
    /// Keeps the `k` nearest to each query: by views if there is a calibration, else by embeddings. By views at least as many as
    /// are compared again by what labels say.
    pub fn new(queries: &'a Looks, calibration: Option<&'a Calibration>, k: usize) -> Self {
        let k = if calibration.is_some() { k.max(AGAIN) } else { k };
        Self { queries, calibration, k, kept: vec![Vec::new(); queries.len()] }
    }

    /// Samples pass by: their looks, and in the same order their numbers, which rise from block to block. Only those with an `allowed`
    /// number are kept.
    pub fn pass(&mut self, looks: &Looks, numbers: &[i64], allowed: impl Fn(i64) -> bool + Sync) {
        let is_allowed = |row: usize| numbers.get(row).is_some_and(|number| allowed(*number));
        for (query, kept) in self.kept.iter_mut().enumerate() {
            let found = match self.calibration {
                Some(calibration) => most_alike(looks, calibration, self.queries, query, self.k, &is_allowed),
                None => {
                    let query = self.queries.embeddings.row(query);
                    let hits = nearest(&looks.embeddings, query, self.k, |row| !is_allowed(row));
                    hits.into_iter().map(|hit| (-hit.distance, hit.row)).collect()
                }
            };
            kept.extend(found.into_iter().filter_map(|(near, row)| Some((near, *numbers.get(row)?))));
            if kept.len() > self.k {
                kept.select_nth_unstable_by(self.k, order);
                kept.truncate(self.k);
            }
        }
    }

    /// The numbers of all that were kept, in ascending order.
    pub fn numbers(&self) -> Vec<i64> {
        let mut numbers: Vec<i64> = self.kept.iter().flatten().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// Nearest first; of equally near ones the lower number, as rows of a library are ordered.
fn order(a: &Kept, b: &Kept) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::testing::random;

    #[test]
    fn what_is_kept_is_what_a_search_among_all_finds() {
        let mut all = random(5000, 16);
        // Ties.
        all.data.extend_from_within(..16 * 700);
        let queries = Looks { embeddings: random(3, 16), views: Vec::new() };
        for k in [1, 10, 6000] {
            let mut passing = Passing::new(&queries, None, k);
            let looks = Looks { embeddings: all.clone(), views: Vec::new() };
            for first in (0..5700).step_by(999) {
                let numbers: Vec<i64> = (first..5700.min(first + 999)).map(|row| row as i64 * 3).collect();
                passing.pass(&looks.range(first..first + 999), &numbers, |_| true);
            }
            let mut expected: Vec<i64> = queries
                .embeddings
                .rows()
                .flat_map(|query| nearest(&all, query, k, |_| false))
                .map(|hit| hit.row as i64 * 3)
                .collect();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(passing.numbers(), expected, "{k}");
        }
    }
}
