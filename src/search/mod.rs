//! Nearest neighbours: exact, by cosine distance.
//!
//! The cosine distance of two unit vectors is 1 − a·b, from 0 (same) to 2 (opposite). Every vector
//! of the library is looked at, so that the answer is the answer; ties go to the sample that was
//! added first.

mod codes;
mod searcher;
mod vote;

pub use searcher::Searcher;
pub use vote::{Vote, vote};

use crate::model::Embeddings;
use rayon::prelude::*;
use std::cmp::Ordering;

/// One answer: which vector, and how far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Row in the library.
    pub index: usize,
    /// Cosine distance, 0 to 2.
    pub distance: f32,
}

/// Lanes of a dot product: sums in a fixed order that the compiler can keep in one register.
const LANES: usize = 16;
/// Vectors looked at by one task.
const BLOCK: usize = 4096;

/// The `k` nearest rows of `library` to the unit vector `query`, nearest first; rows for which
/// `leave_out` is true are not answers. Fewer than `k` if there are no more.
pub fn nearest(
    library: &Embeddings,
    query: &[f32],
    k: usize,
    leave_out: impl Fn(usize) -> bool + Sync,
) -> Vec<Neighbour> {
    if k == 0 || query.len() != library.dimension || library.is_empty() {
        return Vec::new();
    }
    let block = |(block, rows): (usize, &[f32])| {
        let mut best: Vec<Neighbour> = rows
            .chunks_exact(library.dimension)
            .enumerate()
            .map(|(i, row)| Neighbour { index: block * BLOCK + i, distance: distance(row, query) })
            .filter(|neighbour| !leave_out(neighbour.index))
            .collect();
        keep_nearest(&mut best, k);
        best
    };
    let mut best: Vec<Neighbour> =
        library.data.par_chunks(BLOCK * library.dimension).enumerate().flat_map_iter(block).collect();
    keep_nearest(&mut best, k);
    best.sort_unstable_by(order);
    best
}

/// The distance within which the nearest neighbour of `share` (0 to 1) of the rows lies: what is
/// usual in this library. Of a large library an even sample of rows is asked. `None` below two rows.
pub fn usual_distance(library: &Embeddings, share: f64) -> Option<f32> {
    const ASKED: usize = 500;
    let n = library.len();
    if n < 2 {
        return None;
    }
    let asked: Vec<usize> = (0..n).step_by(n.div_ceil(ASKED)).collect();
    let mut questions = Embeddings::new(library.dimension);
    asked.iter().for_each(|row| questions.data.extend(library.row(*row)));
    // Two, since a row finds itself.
    let found = Searcher::new(library).nearest(library, &questions, 2);
    let mut distances: Vec<f32> = asked
        .iter()
        .zip(&found)
        .filter_map(|(row, found)| found.iter().find(|n| n.index != *row).map(|n| n.distance))
        .collect();
    distances.sort_unstable_by(f32::total_cmp);
    let rank = (share.clamp(0.0, 1.0) * (distances.len() - 1) as f64).round() as usize;
    distances.get(rank).copied()
}

/// Cosine distance of two unit vectors of one length, 0 to 2.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    (1.0 - dot(a, b)).clamp(0.0, 2.0)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

fn keep_nearest(found: &mut Vec<Neighbour>, k: usize) {
    if found.len() > k {
        found.select_nth_unstable_by(k - 1, order);
        found.truncate(k);
    }
}

fn order(a: &Neighbour, b: &Neighbour) -> Ordering {
    a.distance.total_cmp(&b.distance).then(a.index.cmp(&b.index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng as _, SeedableRng as _};

    pub(super) fn random(n: usize, dimension: usize) -> Embeddings {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let mut out = Embeddings::new(dimension);
        for _ in 0..n {
            let row: Vec<f32> = (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect();
            let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
            out.data.extend(row.iter().map(|v| v / length));
        }
        out
    }

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
            assert_eq!(got.index, index);
            assert!((f64::from(got.distance) - distance).abs() < 1e-6);
        }
    }

    #[test]
    fn the_usual_distance_is_a_quantile_of_nearest_distances() {
        let library = random(300, 6);
        let mut all: Vec<f32> =
            (0..300).map(|i| nearest(&library, library.row(i), 1, |j| j == i)[0].distance).collect();
        all.sort_by(f32::total_cmp);
        assert_eq!(usual_distance(&library, 1.0), all.last().copied());
        assert_eq!(usual_distance(&library, 0.0), all.first().copied());
        assert_eq!(usual_distance(&random(1, 6), 0.5), None);
    }

    #[test]
    fn ties_keep_their_order_and_k_may_be_anything() {
        let mut library = random(1, 8);
        let row = library.data.clone();
        (1..9000).for_each(|_| library.data.extend(&row));
        let got = nearest(&library, &row, 5000, |_| false);
        assert!(got.iter().enumerate().all(|(i, n)| n.index == i && n.distance < 1e-6));
        assert_eq!(nearest(&library, &row, 20_000, |_| false).len(), 9000);
        assert!(nearest(&library, &row, 0, |_| false).is_empty());
        assert!(nearest(&library, &row[..4], 3, |_| false).is_empty());
        assert!(nearest(&Embeddings::new(8), &row, 3, |_| false).is_empty());
    }
}
