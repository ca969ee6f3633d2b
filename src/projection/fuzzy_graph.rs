//! The fuzzy graph of UMAP (McInnes, Healy and Melville, 2018, section 3.1): edges from each row to its
//! nearest neighbours, with a membership that falls off at the row's own scale, then made symmetric.

use super::pace::Pace;
use crate::job::{Reporter, Stop};
use crate::model::Embeddings;
use crate::search::{Copies, Hit, Searcher};
use rayon::prelude::*;

/// An edge, listed once per direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    /// The row it leaves.
    pub from: u32,
    /// The row it leads to.
    pub to: u32,
    /// Membership, above 0 and at most 1.
    pub weight: f32,
}

/// The neighbours of a row, with their memberships.
type List = Vec<(u32, f32)>;

/// The symmetric graph over the `k` nearest neighbours of each row, edges in ascending order; `None` if the job
/// should finish before.
pub(super) fn fuzzy_graph(
    rows: &Embeddings,
    k: usize,
    reporter: &Reporter,
    pace: &mut Pace<'_>,
) -> Result<Option<Vec<Edge>>, Stop> {
    /// Vectors queried together: enough to use all cores, few enough to cancel soon.
    const TOGETHER: usize = 512;
    let searcher = Searcher::new(rows);
    let copies = searcher.copies();
    let mut lists: Vec<List> = vec![Vec::new(); rows.len()];
    // Equal rows have the same neighbours, so one of them is queried. More of them than neighbours are asked for
    // are each other's.
    let (many, queried): (Vec<usize>, Vec<usize>) =
        (0..copies.len()).partition(|vector| copies.rows(*vector).len() > k);
    let weight = memberships(&vec![Hit::new(0, 0.0); k]).first().copied().unwrap_or(1.0);
    for vector in many {
        let same = copies.rows(vector);
        for (at, row) in same.iter().enumerate() {
            lists[*row as usize] =
                among_copies(same.len(), k).map(|step| (same[(at + step) % same.len()], weight)).collect();
        }
    }
    let vector_of = vector_of(copies, rows.len());
    let batches = queried.len().div_ceil(TOGETHER);
    let mut done = 0;
    pace.neighbours(done, queried.len());
    for batch in 0..batches {
        reporter.check()?;
        if reporter.should_finish() {
            return Ok(None);
        }
        // Vectors far from each other in their order, so that each batch takes as long and the time left is right.
        let which: Vec<usize> = queried.iter().copied().skip(batch).step_by(batches).collect();
        let mut queries = Embeddings::new(rows.dimension);
        which.iter().for_each(|vector| queries.data.extend(rows.row(copies.first(*vector))));
        let found = searcher.nearest(rows, &queries, k + 1);
        let of_rows: Vec<Vec<(u32, List)>> = which
            .par_iter()
            .zip(found)
            .map(|(vector, found)| {
                let list = |row: &u32| (*row, neighbours(*row, &found, k, &vector_of, copies));
                copies.rows(*vector).iter().map(list).collect()
            })
            .collect();
        for (row, list) in of_rows.into_iter().flatten() {
            lists[row as usize] = list;
        }
        done += which.len();
        pace.neighbours(done, queried.len());
    }
    reporter.check()?;
    Ok(Some(symmetric(lists)))
}

/// The neighbours of a row with their memberships, from what was found for its vector.
fn neighbours(row: u32, found: &[Hit], k: usize, vector_of: &[u32], copies: &Copies) -> List {
    let others: Vec<Hit> = found.iter().filter(|hit| hit.row != row as usize).take(k).copied().collect();
    let weights = memberships(&others);
    let mut list: List = others.iter().map(|hit| hit.row as u32).zip(weights).collect();
    // Of equal rows only the first ones are found. Others are as near: each row gets some of its own, so that no
    // row is the neighbour of all.
    let own = vector_of[row as usize];
    let mut taken: Vec<(u32, usize)> = Vec::new();
    for (to, _) in &mut list {
        let vector = vector_of[*to as usize];
        let same = copies.rows(vector as usize);
        if vector == own || same.len() == 1 {
            continue;
        }
        let used = match taken.iter_mut().find(|(of, _)| *of == vector) {
            Some((_, used)) => {
                *used += 1;
                *used
            }
            None => {
                taken.push((vector, 0));
                0
            }
        };
        *to = same[(row.wrapping_mul(0x9e37_79b9) as usize + used) % same.len()];
    }
    list
}

/// The distinct vector of each row.
fn vector_of(copies: &Copies, rows: usize) -> Vec<u32> {
    let mut out = vec![0; rows];
    for vector in 0..copies.len() {
        copies.rows(vector).iter().for_each(|row| out[*row as usize] = vector as u32);
    }
    out
}

/// How far each of `k` neighbours of a row is from it in the circle of its `n` copies: near ones and ever farther
/// ones, so that the circle is no long chain.
fn among_copies(n: usize, k: usize) -> impl Iterator<Item = usize> {
    let growth = (n as f64).powf(1.0 / (k + 1) as f64);
    let mut last = 0;
    (0..k).map(move |i| {
        let far = growth.powi(i as i32 + 1) as usize;
        last = far.clamp(last + 1, (n + i).saturating_sub(k).max(last + 1));
        last
    })
}

/// The membership of each of a row's neighbours, nearest first: 1 for the nearest, then falling off
/// exponentially, so that the sum is log₂ of their number. Where so many are equally near that it would be more,
/// all are less: a row of many copies is not drawn to them more than another row is to its neighbours.
pub(super) fn memberships(found: &[Hit]) -> Vec<f32> {
    // Euclidean distances of the unit vectors: the metric that the exponential is defined for.
    let distances: Vec<f64> = found.iter().map(|n| (2.0 * f64::from(n.distance)).sqrt()).collect();
    let rho = distances.iter().copied().find(|d| *d > 0.0).unwrap_or(0.0);
    let target = (distances.len().max(2) as f64).log2();
    let total = |sigma: f64| distances.iter().map(|d| (-(d - rho).max(0.0) / sigma).exp()).sum::<f64>();
    let (mut low, mut high, mut sigma) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..64 {
        if total(sigma) > target {
            high = sigma;
            sigma = (low + high) / 2.0;
        } else {
            low = sigma;
            sigma = if high.is_finite() { (low + high) / 2.0 } else { sigma * 2.0 };
        }
    }
    let mean = distances.iter().sum::<f64>() / distances.len().max(1) as f64;
    let sigma = sigma.max(1e-3 * mean).max(1e-12);
    let share = (target / total(sigma)).min(1.0);
    // Without the rounding of a sum that was reached.
    let share = if share > 0.999 { 1.0 } else { share };
    distances.iter().map(|d| (share * (-(d - rho).max(0.0) / sigma).exp()) as f32).collect()
}

/// The fuzzy union of both directions: a + b − a·b.
fn symmetric(lists: Vec<List>) -> Vec<Edge> {
    let count: usize = lists.iter().map(Vec::len).sum();
    let mut directed: Vec<(u32, u32, f32, f32)> = Vec::with_capacity(2 * count);
    for (from, list) in lists.into_iter().enumerate() {
        for (to, weight) in list {
            directed.push((from as u32, to, weight, 0.0));
            directed.push((to, from as u32, 0.0, weight));
        }
    }
    directed.par_sort_unstable_by_key(|edge| (edge.0, edge.1));
    let mut edges: Vec<Edge> = Vec::with_capacity(directed.len());
    for group in directed.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (out, back) =
            group.iter().fold((0.0_f32, 0.0_f32), |(out, back), edge| (out + edge.2, back + edge.3));
        let weight = out + back - out * back;
        if weight > 0.0 {
            edges.push(Edge { from: group[0].0, to: group[0].1, weight });
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_start_at_one_and_sum_to_the_target() {
        let found: Vec<Hit> = (0..15).map(|i| Hit::new(i, 0.01 + 0.02 * i as f32)).collect();
        let weights = memberships(&found);
        assert!((weights[0] - 1.0).abs() < 1e-6);
        assert!(weights.windows(2).all(|w| w[0] > w[1]));
        assert!((weights.iter().sum::<f32>() - 15_f32.log2()).abs() < 1e-3);
        let same = [Hit::new(0, 0.0); 3];
        let sum: f32 = memberships(&same).iter().sum();
        assert!((sum - 3_f32.log2()).abs() < 1e-6);
        assert!(memberships(&[]).is_empty());
    }

    #[test]
    fn the_union_is_symmetric() {
        let edges = symmetric(vec![vec![(1, 0.5)], vec![(0, 0.4), (2, 1.0)], vec![]]);
        let weight = |from, to| edges.iter().find(|e| (e.from, e.to) == (from, to)).map(|e| e.weight);
        assert_eq!(edges.len(), 4);
        assert!((weight(0, 1).unwrap() - 0.7).abs() < 1e-6);
        assert_eq!(weight(0, 1), weight(1, 0));
        assert_eq!(weight(2, 1), Some(1.0));
    }

    #[test]
    fn copies_are_each_others_neighbours_and_none_is_that_of_all() {
        // A vector 300 times, and 100 others around it, all nearer to it than to each other.
        let (n, k) = (400, 10);
        let mut rows = Embeddings::new(101);
        for i in 0..n {
            let mut row = vec![0.0_f32; 101];
            row[0] = 1.0;
            if i % 4 == 3 {
                (row[0], row[1 + i / 4]) = (0.995_f32.sqrt(), 0.005_f32.sqrt());
            }
            rows.data.extend(row);
        }
        let reporter = Reporter::silent();
        let mut pace = Pace::new(&reporter, std::time::Duration::ZERO);
        let edges = fuzzy_graph(&rows, k, &reporter, &mut pace).unwrap().unwrap();
        let mut degrees = vec![0; n];
        for edge in &edges {
            assert_ne!(edge.from, edge.to);
            assert!(edge.from % 4 != 3 || edge.to % 4 != 3, "a nearer neighbour was passed over");
            degrees[edge.from as usize] += 1;
        }
        assert!(degrees.iter().all(|degree| (k..=4 * k).contains(degree)), "{degrees:?}");
    }

    #[test]
    fn neighbours_among_copies_are_distinct_and_none_is_the_row_itself() {
        for (n, k) in [(2, 1), (16, 15), (17, 15), (20, 15), (100, 15), (5000, 14), (100_000, 14)] {
            let steps: Vec<usize> = among_copies(n, k).collect();
            assert_eq!(steps.len(), k);
            assert!(steps[0] >= 1 && steps[k - 1] < n, "{n} {k} {steps:?}");
            assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{n} {k} {steps:?}");
        }
    }
}
