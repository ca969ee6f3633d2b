//! UMAP (McInnes, Healy and Melville, 2018): a layout in which rows that are neighbours attract
//! each other and others push each other away, found by stochastic gradient descent from PCA.
//!
//! Constants are those of umap-learn with `min_dist` 0.1 and `spread` 1. One thread lays out, so
//! that one seed gives one map.

use super::fuzzy_graph::{Edge, fuzzy_graph};
use super::pca;
use crate::job::{Reporter, Stop};
use crate::model::Embeddings;
use crate::numeric::{power, wide};
use pulp::NullaryFnOnce;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// The curve 1 / (1 + a·d^2b) fitted to `min_dist` 0.1, `spread` 1.
const A: f32 = 1.576_943_5;
const B: f32 = 0.895_060_9;
/// Rows pushed away for each attraction.
const PUSHES: usize = 5;
/// No step moves further along an axis.
const CLIP: f32 = 4.0;
/// Squared distances below this count as this.
const NEAR: f32 = 1e-12;
/// Half the width of the layout at the start.
const EXTENT: f32 = 10.0;

/// What the user may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UmapConfig {
    /// Neighbours that a row attracts, at least 2.
    pub neighbours: usize,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for UmapConfig {
    fn default() -> Self {
        Self { neighbours: 15, seed: 0 }
    }
}

/// A place for each row. For three rows or fewer the places are those of PCA.
pub fn umap(rows: &Embeddings, config: UmapConfig, reporter: &Reporter) -> Result<Vec<[f32; 2]>, Stop> {
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let mut places = start(rows, &mut rng);
    if places.len() <= 3 {
        return Ok(places);
    }
    // umap-learn counts the row itself among its neighbours.
    let k = config.neighbours.clamp(2, places.len() - 1).saturating_sub(1).max(1);
    let edges = fuzzy_graph(rows, k, reporter)?;
    lay_out(&mut places, &edges, &mut rng, reporter)?;
    Ok(places)
}

/// PCA, scaled, with a little noise so that equal rows can part.
fn start(rows: &Embeddings, rng: &mut ChaCha8Rng) -> Vec<[f32; 2]> {
    let mut places = pca(rows);
    let largest = places.iter().flatten().fold(1e-9_f32, |m, v| m.max(v.abs()));
    for v in places.iter_mut().flatten() {
        *v = *v / largest * EXTENT + rng.random_range(-1e-3..1e-3);
    }
    places
}

fn lay_out(
    places: &mut [[f32; 2]],
    edges: &[Edge],
    rng: &mut ChaCha8Rng,
    reporter: &Reporter,
) -> Result<(), Stop> {
    let rounds = if places.len() <= 10_000 { 500 } else { 200 };
    let strongest = edges.iter().fold(0.0_f32, |m, edge| m.max(edge.weight));
    // An edge pulls every `strongest / weight` rounds; the weakest never get their turn.
    let mut due: Vec<Due> = edges
        .iter()
        .map(|edge| (*edge, strongest / edge.weight))
        .filter(|(_, period)| *period <= rounds as f32)
        .map(|(edge, period)| (edge, period, period))
        .collect();
    let stage = reporter.stage("Laying out the map", rounds);
    for round in 0..rounds {
        reporter.check()?;
        wide(Round {
            places,
            due: &mut due,
            rng,
            round: round as f32,
            rate: 1.0 - round as f32 / rounds as f32,
        });
        stage.advance(1);
    }
    Ok(())
}

/// An edge, how many rounds apart it pulls, and when it is due.
type Due = (Edge, f32, f32);

/// One round of the layout: each edge that is due.
struct Round<'a> {
    places: &'a mut [[f32; 2]],
    due: &'a mut [Due],
    rng: &'a mut ChaCha8Rng,
    round: f32,
    rate: f32,
}

impl NullaryFnOnce for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { places, due, rng, round, rate } = self;
        let n = places.len() as u64;
        for (edge, period, next) in due {
            if *next > round + 1.0 {
                continue;
            }
            *next += *period;
            let (from, to) = (edge.from as usize, edge.to as usize);
            let pull = attraction(places[from], places[to]);
            let at = [places[from][0] + pull[0] * rate, places[from][1] + pull[1] * rate];
            places[to][0] -= pull[0] * rate;
            places[to][1] -= pull[1] * rate;
            // All pushes from one place, so that they are computed side by side: plain loops over
            // numbers, which become vectors.
            let (mut x, mut y) = ([0.0_f32; PUSHES], [0.0_f32; PUSHES]);
            for (x, y) in x.iter_mut().zip(&mut y) {
                // The upper half of the product: even enough for any n that fits into memory.
                let other = places[((u64::from(rng.next_u32()) * n) >> 32) as usize];
                (*x, *y) = (at[0] - other[0], at[1] - other[1]);
            }
            let mut push = [0.0_f32; 2];
            for (x, y) in x.iter().zip(&y) {
                let factor = repelling((x * x + y * y).max(NEAR));
                push[0] += (x * factor).clamp(-CLIP, CLIP);
                push[1] += (y * factor).clamp(-CLIP, CLIP);
            }
            places[from] = [at[0] + push[0] * rate, at[1] + push[1] * rate];
        }
    }
}

/// How `a` moves towards `b`.
#[inline(always)]
fn attraction(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    // Where both are at one place there is no direction, and the difference of 0 says so.
    let d2 = squared(a, b).max(NEAR);
    let power = power(d2, B);
    along(a, b, -2.0 * A * B * power / (d2 * (1.0 + A * power)))
}

/// By how many times their difference a row moves away from another at this squared distance.
#[inline(always)]
fn repelling(d2: f32) -> f32 {
    2.0 * B / ((0.001 + d2) * (1.0 + A * power(d2, B)))
}

#[inline(always)]
fn squared(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

#[inline(always)]
fn along(a: [f32; 2], b: [f32; 2], factor: f32) -> [f32; 2] {
    [((a[0] - b[0]) * factor).clamp(-CLIP, CLIP), ((a[1] - b[1]) * factor).clamp(-CLIP, CLIP)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::trustworthiness;

    fn clusters(n: usize) -> Embeddings {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut out = Embeddings::new(16);
        for i in 0..n {
            let row: Vec<f32> =
                (0..16).map(|c| if c == i % 8 { 2.0 } else { 0.0 } + rng.random_range(-0.3..0.3)).collect();
            let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
            out.data.extend(row.iter().map(|v| v / length));
        }
        out
    }

    #[test]
    fn clusters_stay_together_and_one_seed_gives_one_map() {
        let rows = clusters(400);
        let config = UmapConfig::default();
        let places = umap(&rows, config, &Reporter::silent()).unwrap();
        assert_eq!(places, umap(&rows, config, &Reporter::silent()).unwrap());
        let centre = |c: usize| {
            let own: Vec<_> = places.iter().skip(c).step_by(8).collect();
            [0, 1].map(|axis| own.iter().map(|p| p[axis]).sum::<f32>() / own.len() as f32)
        };
        for (i, place) in places.iter().enumerate() {
            let nearest =
                (0..8).min_by(|a, b| squared(*place, centre(*a)).total_cmp(&squared(*place, centre(*b))));
            assert_eq!(nearest, Some(i % 8));
        }
        assert!(trustworthiness(&rows, &places, 15) > 0.85);
    }

    #[test]
    fn few_and_equal_rows_are_no_trouble() {
        for n in 0..6 {
            let rows = Embeddings { dimension: 2, data: [1.0, 0.0].repeat(n) };
            let places = umap(&rows, UmapConfig::default(), &Reporter::silent()).unwrap();
            assert_eq!(places.len(), n);
            assert!(places.iter().flatten().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn steps_follow_the_gradient() {
        // Cross-entropy of one edge: −ln v attracts, −ln(1 − v) repels; v = 1 / (1 + a·d^2b).
        let v = |d: f64| 1.0 / (1.0 + f64::from(A) * d.powf(2.0 * f64::from(B)));
        let slope = |f: &dyn Fn(f64) -> f64, d: f64| (f(d + 1e-6) - f(d - 1e-6)) / 2e-6;
        for d in [0.7, 1.5, 3.0] {
            let (a, b) = ([d as f32, 0.0], [0.0, 0.0]);
            let pull = slope(&|d| -v(d).ln(), d);
            assert!((f64::from(attraction(a, b)[0]) + pull).abs() < 1e-3);
            let push = slope(&|d| -(1.0 - v(d)).ln(), d);
            let ours = d * f64::from(repelling(squared(a, b)));
            assert!((ours + push).abs() < 5e-3, "{d}");
        }
    }
}
