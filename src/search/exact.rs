//! Exact search by scanning every row, for a few queries.

use super::hit::{Hit, order};
use crate::model::Embeddings;
use crate::numeric::{dot, squared_distance};
use rayon::prelude::*;

/// Rows scanned by one task.
const BLOCK: usize = 4096;

/// The `k` nearest rows of `library` to the unit vector `query`, nearest first, ties by row. Rows for which
/// `exclude` is true are ignored. Fewer than `k` if there are no more.
pub fn nearest(
    library: &Embeddings,
    query: &[f32],
    k: usize,
    exclude: impl Fn(usize) -> bool + Sync,
) -> Vec<Hit> {
    if k == 0 || query.len() != library.dimension || library.is_empty() {
        return Vec::new();
    }
    let block = |(block, rows): (usize, &[f32])| {
        let mut best: Vec<Hit> = rows
            .chunks_exact(library.dimension)
            .enumerate()
            .map(|(i, row)| Hit::new(block * BLOCK + i, distance(row, query)))
            .filter(|hit| !exclude(hit.row))
            .collect();
        keep_nearest(&mut best, k);
        best
    };
    let mut best: Vec<Hit> =
        library.data.par_chunks(BLOCK * library.dimension).enumerate().flat_map_iter(block).collect();
    keep_nearest(&mut best, k);
    best.sort_unstable_by(order);
    best
}

/// Nearer vectors than this are compared by their difference.
pub(super) const NEAR: f32 = 0.01;

/// Cosine distance of two unit vectors of one length, 0 to 2. Of near ones it is computed from their difference,
/// since 1 − a·b would be little but rounding; so it is 0 only if they are equal.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    let distance = (1.0 - dot(a, b)).clamp(0.0, 2.0);
    if distance < NEAR { squared_distance(a, b) / 2.0 } else { distance }
}

fn keep_nearest(found: &mut Vec<Hit>, k: usize) {
    if found.len() > k {
        found.select_nth_unstable_by(k - 1, order);
        found.truncate(k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::testing::random;

    #[test]
    fn equals_sorting_all_distances_in_double_precision() {
        let library = random(10_000, 24);
        let query = library.row(77).to_vec();
        let mut want: Vec<(f64, usize)> = library
            .rows()
            .map(|row| 1.0 - row.iter().zip(&query).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>())
            .zip(0..)
            .filter(|(_, i)| *i != 77)
            .collect();
        want.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let got = nearest(&library, &query, 50, |i| i == 77);
        assert_eq!(got.len(), 50);
        for (got, (distance, index)) in got.iter().zip(want) {
            assert_eq!(got.row, index);
            assert!((f64::from(got.distance) - distance).abs() < 1e-6);
        }
    }

    #[test]
    fn ties_keep_their_order_and_k_may_be_anything() {
        let mut library = random(1, 8);
        let row = library.data.clone();
        (1..9000).for_each(|_| library.data.extend(&row));
        let got = nearest(&library, &row, 5000, |_| false);
        assert!(got.iter().enumerate().all(|(i, n)| n.row == i && n.distance < 1e-6));
        assert_eq!(nearest(&library, &row, 20_000, |_| false).len(), 9000);
        assert!(nearest(&library, &row, 0, |_| false).is_empty());
        assert!(nearest(&library, &row[..4], 3, |_| false).is_empty());
        assert!(nearest(&Embeddings::new(8), &row, 3, |_| false).is_empty());
    }
}
