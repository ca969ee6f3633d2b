//! The fuzzy graph of UMAP (McInnes, Healy and Melville, 2018, section 3.1): edges from each row to its
//! nearest neighbours, with a membership that falls off at the row's own scale, then made symmetric.

use crate::job::{Reporter, Stop};
use crate::model::Embeddings;
use crate::search::{Hit, Searcher};
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

/// The symmetric graph over the `k` nearest neighbours of each row, edges in ascending order.
pub(super) fn fuzzy_graph(rows: &Embeddings, k: usize, reporter: &Reporter) -> Result<Vec<Edge>, Stop> {
    /// Rows queried together: enough to use all cores, few enough to cancel soon.
    const TOGETHER: usize = 512;
    let stage = reporter.stage("Finding neighbours for the map", rows.len());
    let searcher = Searcher::new(rows);
    let mut lists: Vec<Vec<(u32, f32)>> = Vec::with_capacity(rows.len());
    for queries in rows.data.chunks(TOGETHER * rows.dimension.max(1)) {
        reporter.check()?;
        let first = lists.len();
        let queries = Embeddings { dimension: rows.dimension, data: queries.to_vec() };
        let found = searcher.nearest(rows, &queries, k + 1);
        let without_itself = |(i, mut found): (usize, Vec<Hit>)| {
            found.retain(|neighbour| neighbour.row != first + i);
            found.truncate(k);
            let weights = memberships(&found);
            found.iter().map(|n| n.row as u32).zip(weights).collect()
        };
        lists.par_extend(found.into_par_iter().enumerate().map(without_itself));
        stage.advance(queries.len());
    }
    reporter.check()?;
    Ok(symmetric(&lists))
}

/// The membership of each of a row's neighbours, nearest first: 1 for the nearest, then falling off
/// exponentially, so that the sum is log₂ of their number.
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
    distances.iter().map(|d| (-(d - rho).max(0.0) / sigma).exp() as f32).collect()
}

/// The fuzzy union of both directions: a + b − a·b.
fn symmetric(lists: &[Vec<(u32, f32)>]) -> Vec<Edge> {
    let mut directed: Vec<(u32, u32, f32, f32)> = Vec::new();
    for (from, list) in lists.iter().enumerate() {
        for (to, weight) in list {
            directed.push((from as u32, *to, *weight, 0.0));
            directed.push((*to, from as u32, 0.0, *weight));
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
        assert!(memberships(&same).iter().all(|w| (w - 1.0).abs() < 1e-6));
        assert!(memberships(&[]).is_empty());
    }

    #[test]
    fn the_union_is_symmetric() {
        let edges = symmetric(&[vec![(1, 0.5)], vec![(0, 0.4), (2, 1.0)], vec![]]);
        let weight = |from, to| edges.iter().find(|e| (e.from, e.to) == (from, to)).map(|e| e.weight);
        assert_eq!(edges.len(), 4);
        assert!((weight(0, 1).unwrap() - 0.7).abs() < 1e-6);
        assert_eq!(weight(0, 1), weight(1, 0));
        assert_eq!(weight(2, 1), Some(1.0));
    }
}
