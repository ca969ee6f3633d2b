//! The gradient descent of UMAP (McInnes, Healy and Melville, 2018, section 3.2): rows move towards those
//! they have edges to and away from others drawn at random.
//!
//! umap-learn moves one edge after the other, which neither threads nor vectors can speed up. Here a round
//! has a few steps; in each, every row follows its own share of its edges one after the other, while the
//! other rows stay at their places before the step. Rows are thus independent of each other within a step:
//! [`LANES`] of them are computed side by side, and threads share the rest. Random numbers depend on seed,
//! round and row only, so a map does not depend on the number of threads.

use super::fuzzy_graph::Edge;
use super::pace::Pace;
use crate::job::{Reporter, Stop};
use crate::numeric::{power, wide};
use pulp::NullaryFnOnce;
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// The curve 1 / (1 + a·d^2b) fitted to `min_dist` 0.1, `spread` 1.
const A: f32 = 1.576_943_5;
const B: f32 = 0.895_060_9;
/// Rows pushed away for each attraction.
const PUSHES: usize = 5;
/// The longest move of a step along an axis.
const CLIP: f32 = 4.0;
/// Smaller squared distances count as this.
const NEAR: f32 = 1e-12;
/// Steps per round.
const STEPS: usize = 4;
/// Rows computed side by side.
const LANES: usize = 16;
/// Rows per task.
const CHUNK: usize = 32 * LANES;

/// Moves `places` along the edges of the graph, which are in ascending order; until the job should finish. `rate`: how far, at
/// first; 1 from a start that says little, less from a map.
pub fn descend(
    places: &mut [[f32; 2]],
    edges: &[Edge],
    rate: f32,
    seed: u64,
    reporter: &Reporter,
    pace: &mut Pace<'_>,
) -> Result<(), Stop> {
    let rounds = rounds(places.len());
    let mut graph = Graph::new(places.len(), edges, rounds);
    let mut now: Vec<[f32; 2]> = graph.order.iter().map(|row| places[*row as usize]).collect();
    let mut next = now.clone();
    for round in 0..rounds {
        reporter.check()?;
        if reporter.should_finish() {
            break;
        }
        pace.rounds(round, rounds);
        let rate = rate * (1.0 - round as f32 / rounds as f32);
        for step in 0..STEPS {
            take_step(&mut graph.chunks, &now, &mut next, (round, step), rate, seed);
            std::mem::swap(&mut now, &mut next);
        }
    }
    for (row, place) in graph.order.iter().zip(now) {
        places[*row as usize] = place;
    }
    Ok(())
}

/// Rounds for a map of this many rows.
fn rounds(rows: usize) -> usize {
    if rows <= 10_000 { 500 } else { 200 }
}

/// Moves the rows of `chunks` from `now` to `next`.
fn take_step(
    chunks: &mut [Chunk],
    now: &[[f32; 2]],
    next: &mut [[f32; 2]],
    (round, step): (usize, usize),
    rate: f32,
    seed: u64,
) {
    let random = random(seed, round, step);
    chunks.par_iter_mut().zip(next.par_chunks_mut(CHUNK)).enumerate().for_each(|(i, (chunk, next))| {
        if step == 0 {
            chunk.find_due(round as f32);
        }
        wide(Step { first: i * CHUNK, chunk, now, next, step, rate, random });
    });
}

/// The time that [`descend`] takes about for the usual number of neighbours, from a few steps of some rows with
/// edges drawn at random; 0 for maps so small that it does not matter.
pub fn expected_time(places: &[[f32; 2]]) -> Duration {
    /// Edges of a row, and the rounds between their pulls: a little less than usual, since the edges of all rows
    /// are not in cache.
    const EDGES: usize = 28;
    const PERIOD: f32 = 2.5;
    /// Tasks, and rounds after one that finds memory.
    const TRIED: usize = 32;
    const ROUNDS: usize = 3;
    let all = places.len().div_ceil(CHUNK);
    if all < TRIED / 4 {
        return Duration::ZERO;
    }
    let tried = all.min(TRIED);
    let mut next = places[..(tried * CHUNK).min(places.len())].to_vec();
    let pull = |edge: usize| {
        let to = (u64::from(scramble(edge as u32)) * places.len() as u64) >> 32;
        Pull { to: to as u32, period: PERIOD, next: edge as f32 % PERIOD }
    };
    let chunk = |(i, rows): (usize, &[[f32; 2]])| Chunk {
        starts: (0..=rows.len()).map(|row| (row * EDGES) as u32).collect(),
        edges: (0..rows.len() * EDGES).map(|edge| pull(i * CHUNK * EDGES + edge)).collect(),
        due: Vec::new(),
        due_starts: Vec::new(),
    };
    let mut chunks: Vec<Chunk> = next.chunks(CHUNK).enumerate().map(chunk).collect();
    let mut begun = Instant::now();
    for round in 0..=ROUNDS {
        if round == 1 {
            begun = Instant::now();
        }
        for step in 0..STEPS {
            take_step(&mut chunks, places, &mut next, (round, step), 0.5, 0);
        }
    }
    begun.elapsed().mul_f64(rounds(places.len()) as f64 / ROUNDS as f64 * all as f64 / tried as f64)
}

/// The graph, its rows sorted by their number of edges, so that rows side by side have similar work.
struct Graph {
    /// The row at each position of that order.
    order: Vec<u32>,
    chunks: Vec<Chunk>,
}

/// The edges of the rows of one task.
struct Chunk {
    /// The first edge of each row; one more entry for the end.
    starts: Vec<u32>,
    edges: Vec<Pull>,
    /// The targets of the edges due in this round, and the first of each row.
    due: Vec<u32>,
    due_starts: Vec<u32>,
}

/// One edge, as seen from the row that it leaves.
struct Pull {
    /// The row it leads to.
    to: u32,
    /// The number of rounds between pulls, and the round of the next.
    period: f32,
    next: f32,
}

impl Graph {
    fn new(rows: usize, edges: &[Edge], rounds: usize) -> Self {
        // An edge pulls every `1 / weight` rounds; the weakest never do.
        let kept = |edge: &&Edge| 1.0 / edge.weight <= rounds as f32;
        let mut degree = vec![0_u32; rows];
        edges.iter().filter(kept).for_each(|edge| degree[edge.from as usize] += 1);
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.sort_by_key(|row| degree[*row as usize]);
        let mut place_of = vec![0_u32; rows];
        for (place, row) in order.iter().enumerate() {
            place_of[*row as usize] = place as u32;
        }
        let mut first = vec![0_usize; rows + 1];
        for (row, degree) in degree.iter().enumerate() {
            first[row + 1] = first[row] + *degree as usize;
        }
        let kept: Vec<&Edge> = edges.iter().filter(kept).collect();
        let chunks = order.chunks(CHUNK).map(|rows| {
            let (mut starts, mut pulls) = (vec![0], Vec::new());
            for row in rows {
                pulls.extend(kept[first[*row as usize]..first[*row as usize + 1]].iter().map(|edge| {
                    let period = 1.0 / edge.weight;
                    Pull { to: place_of[edge.to as usize], period, next: period }
                }));
                starts.push(pulls.len() as u32);
            }
            Chunk { starts, edges: pulls, due: Vec::new(), due_starts: Vec::new() }
        });
        Self { chunks: chunks.collect(), order }
    }
}

impl Chunk {
    /// Finds the edges that are due in this round.
    fn find_due(&mut self, round: f32) {
        self.due.clear();
        self.due_starts.clear();
        self.due_starts.push(0);
        for ends in self.starts.windows(2) {
            for edge in &mut self.edges[ends[0] as usize..ends[1] as usize] {
                if edge.next <= round + 1.0 {
                    edge.next += edge.period;
                    self.due.push(edge.to);
                }
            }
            self.due_starts.push(self.due.len() as u32);
        }
    }
}

/// The base of the random numbers of one step; each also depends on the row and the number of draws.
fn random(seed: u64, round: usize, step: usize) -> u32 {
    scramble(scramble(seed as u32 ^ scramble((seed >> 32) as u32)) ^ (round * STEPS + step) as u32)
}

/// Spreads every bit over all bits (the finaliser of MurmurHash3, Appleby 2011).
#[inline(always)]
fn scramble(mut bits: u32) -> u32 {
    bits = (bits ^ bits >> 16).wrapping_mul(0x85eb_ca6b);
    bits = (bits ^ bits >> 13).wrapping_mul(0xc2b2_ae35);
    bits ^ bits >> 16
}

/// One step of the rows of a chunk.
struct Step<'a> {
    first: usize,
    chunk: &'a Chunk,
    /// The places of all rows before the step.
    now: &'a [[f32; 2]],
    /// The places of the rows of the chunk after the step.
    next: &'a mut [[f32; 2]],
    step: usize,
    rate: f32,
    random: u32,
}

impl NullaryFnOnce for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { first, chunk, now, next, step, rate, random } = self;
        let n = now.len() as u64;
        for (group, next) in next.chunks_mut(LANES).enumerate() {
            let row = first + group * LANES;
            let lanes = next.len();
            // The places of the lanes, one array per axis.
            let (mut x, mut y) = ([0.0_f32; LANES], [0.0_f32; LANES]);
            // The edges of this step: from `from` on, every `STEPS`th.
            let (mut from, mut end) = ([0_usize; LANES], [0_usize; LANES]);
            for lane in 0..lanes {
                [x[lane], y[lane]] = now[row + lane];
                let i = group * LANES + lane;
                from[lane] = chunk.due_starts[i] as usize + step;
                end[lane] = chunk.due_starts[i + 1] as usize;
            }
            let mut drawn = 0_u32;
            while (0..lanes).any(|lane| from[lane] < end[lane]) {
                // A lane without further edges moves by 0.
                let mut moves = [0.0_f32; LANES];
                let (mut tx, mut ty) = (x, y);
                for lane in 0..lanes {
                    if from[lane] < end[lane] {
                        [tx[lane], ty[lane]] = now[chunk.due[from[lane]] as usize];
                        moves[lane] = rate;
                        from[lane] += STEPS;
                    }
                }
                // The edge and its reverse are due at the same time, so the row is pulled twice.
                pull(&mut x, &mut y, &tx, &ty, &moves);
                for _ in 0..PUSHES {
                    let mut bits = [0_u32; LANES];
                    for (lane, bits) in bits.iter_mut().enumerate() {
                        let own = (row + lane) as u32;
                        *bits = scramble(
                            random ^ own.wrapping_mul(0x9e37_79b9) ^ drawn.wrapping_mul(0x85eb_ca77),
                        );
                    }
                    drawn += 1;
                    for lane in 0..lanes {
                        // The upper half of the product is uniform enough for any n that fits in memory.
                        let other = (u64::from(bits[lane]) * n) >> 32;
                        [tx[lane], ty[lane]] = now[other as usize];
                    }
                    push(&mut x, &mut y, &tx, &ty, &moves);
                }
                for lane in 0..lanes {
                    if moves[lane] > 0.0 {
                        [tx[lane], ty[lane]] = now[chunk.due[from[lane] - STEPS] as usize];
                    } else {
                        (tx[lane], ty[lane]) = (x[lane], y[lane]);
                    }
                }
                pull(&mut x, &mut y, &tx, &ty, &moves);
            }
            for lane in 0..lanes {
                next[lane] = [x[lane], y[lane]];
            }
        }
    }
}

type Lanes = [f32; LANES];

/// Moves each lane towards its target.
#[inline(always)]
fn pull(x: &mut Lanes, y: &mut Lanes, tx: &Lanes, ty: &Lanes, rate: &Lanes) {
    for lane in 0..LANES {
        let (dx, dy) = (x[lane] - tx[lane], y[lane] - ty[lane]);
        let factor = attracting((dx * dx + dy * dy).max(NEAR));
        x[lane] += (dx * factor).clamp(-CLIP, CLIP) * rate[lane];
        y[lane] += (dy * factor).clamp(-CLIP, CLIP) * rate[lane];
    }
}

/// Moves each lane away from its target.
#[inline(always)]
fn push(x: &mut Lanes, y: &mut Lanes, tx: &Lanes, ty: &Lanes, rate: &Lanes) {
    for lane in 0..LANES {
        let (dx, dy) = (x[lane] - tx[lane], y[lane] - ty[lane]);
        let factor = repelling((dx * dx + dy * dy).max(NEAR));
        x[lane] += (dx * factor).clamp(-CLIP, CLIP) * rate[lane];
        y[lane] += (dy * factor).clamp(-CLIP, CLIP) * rate[lane];
    }
}

/// The factor of their difference by which a row moves towards another at this squared distance: negative.
/// Two rows at the same place have a difference of 0 and do not move.
#[inline(always)]
fn attracting(d2: f32) -> f32 {
    let power = power(d2, B);
    -2.0 * A * B * power / (d2 * (1.0 + A * power))
}

/// The factor of their difference by which a row moves away from another at this squared distance.
#[inline(always)]
fn repelling(d2: f32) -> f32 {
    2.0 * B / ((0.001 + d2) * (1.0 + A * power(d2, B)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_the_gradient() {
        // Cross-entropy of one edge: −ln v attracts, −ln(1 − v) repels, with v = 1 / (1 + a·d^2b).
        let v = |d: f64| 1.0 / (1.0 + f64::from(A) * d.powf(2.0 * f64::from(B)));
        let slope = |f: &dyn Fn(f64) -> f64, d: f64| (f(d + 1e-6) - f(d - 1e-6)) / 2e-6;
        for d in [0.7, 1.5, 3.0] {
            let d2 = (d * d) as f32;
            let pull = slope(&|d| -v(d).ln(), d);
            assert!((d * f64::from(attracting(d2)) + pull).abs() < 1e-3);
            let push = slope(&|d| -(1.0 - v(d)).ln(), d);
            assert!((d * f64::from(repelling(d2)) + push).abs() < 5e-3, "{d}");
        }
    }

    #[test]
    fn a_map_does_not_depend_on_the_number_of_threads() {
        let n = 3 * CHUNK as u32 + 5;
        let edges: Vec<Edge> = (0..n)
            .flat_map(|from| {
                (1..8).map(move |i| Edge { from, to: (from + i * i * 31) % n, weight: 1.0 / i as f32 })
            })
            .collect();
        let places: Vec<[f32; 2]> = (0..n).map(|i| [(i % 71) as f32 / 7.0, (i / 71) as f32 / 7.0]).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut places = places.clone();
            let reporter = Reporter::silent();
            let mut pace = Pace::new(&reporter, Duration::ZERO);
            pool.install(|| descend(&mut places, &edges, 1.0, 7, &reporter, &mut pace)).unwrap();
            places
        };
        let one = on(1);
        assert!(one.iter().flatten().all(|v| v.is_finite()));
        assert_eq!(one, on(3));
        assert_ne!(one, places);
    }

    #[test]
    fn the_expected_time_grows_with_the_map() {
        let places: Vec<[f32; 2]> = (0..40 * CHUNK).map(|i| [(i % 71) as f32, (i / 71) as f32]).collect();
        assert_eq!(expected_time(&places[..2 * CHUNK]), Duration::ZERO);
        assert!(expected_time(&places) > Duration::ZERO);
    }
}
