//! Maps of many vectors, spread and nearly alike: time of each part, what was estimated, peak memory, and how good
//! neighbours and map are.

use cpu_time::ProcessTime;
use lookalike::job::{Job, Outcome};
use lookalike::model::Embeddings;
use lookalike::projection::{UmapConfig, trustworthiness, umap};
use lookalike::search::{Searcher, nearest};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::time::{Duration, Instant};

const DIMENSION: usize = 128;
const SEED: u64 = 1;

/// Sets of `n` unit vectors:
///
/// - `spread`: at random
/// - `alike`: around twenty centres, with a noise of 0.0005 a number
/// - `closer`: the same with 0.00005
/// - `two`, `thousand`: the same as `alike` around two and a thousand centres
/// - `nested`: around twenty centres of twenty centres each, with a noise of 0.002 and 0.00001
/// - `copies`: twenty vectors, each many times
/// - `mixed`: half spread, a quarter alike, a quarter copies
fn vectors(set: &str, n: usize) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let centres: Vec<Vec<f32>> = (0..1000).map(|_| unit(&mut rng, &[0.0; DIMENSION], 1.0)).collect();
    let nested: Vec<Vec<f32>> = (0..400).map(|i| unit(&mut rng, &centres[i % 20], 0.002)).collect();
    let mut out = Embeddings::new(DIMENSION);
    for i in 0..n {
        let around = |rng: &mut ChaCha8Rng, count: usize, noise| unit(rng, &centres[i % count], noise);
        out.data.extend(match (set, i % 4) {
            ("spread", _) | ("mixed", 0 | 1) => unit(&mut rng, &[0.0; DIMENSION], 1.0),
            ("alike", _) | ("mixed", 2) => around(&mut rng, 20, 0.0005),
            ("closer", _) => around(&mut rng, 20, 0.00005),
            ("two", _) => around(&mut rng, 2, 0.0005),
            ("thousand", _) => around(&mut rng, 1000, 0.0005),
            ("nested", _) => unit(&mut rng, &nested[i % 400], 0.00001),
            ("copies" | "mixed", _) => centres[i % 20].clone(),
            _ => panic!("no such set: {set}"),
        });
    }
    out
}

/// A centre with normal noise of this deviation, with length 1.
fn unit(rng: &mut ChaCha8Rng, centre: &[f32], noise: f32) -> Vec<f32> {
    // The sum of twelve uniform numbers has variance 1.
    let mut normal = || (0..12).map(|_| rng.random_range(-0.5_f32..0.5)).sum::<f32>();
    let row: Vec<f32> = centre.iter().map(|v| v + noise * normal()).collect();
    let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
    row.iter().map(|v| v / length).collect()
}

/// Computes the map of `n` vectors of a set and prints one JSON object.
pub fn print(set: &str, n: usize) {
    let rows = Arc::new(vectors(set, n));
    let (begun, cpu) = (Instant::now(), ProcessTime::now());
    let job = {
        let rows = Arc::clone(&rows);
        Job::spawn(Arc::new(|| ()), move |reporter| umap(&rows, UmapConfig::default(), reporter))
    };
    // Each stage with the seconds at which it was first seen, and estimates of the whole time at some moments.
    let (mut stages, mut estimates) = (Vec::<(String, f64)>::new(), Vec::<[f64; 2]>::new());
    let places = loop {
        if let Some(outcome) = job.wait(Duration::from_millis(20)) {
            let Outcome::Done(places) = outcome else { panic!("{outcome:?}") };
            break places;
        }
        let Some(progress) = job.progress() else { continue };
        let seconds = begun.elapsed().as_secs_f64();
        if stages.last().is_none_or(|(stage, _)| *stage != progress.stage) {
            stages.push((progress.stage, seconds));
        }
        let due = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0].get(estimates.len()).copied();
        if let (Some(left), true) = (progress.left, due.is_some_and(|due| seconds >= due)) {
            estimates.push([seconds, seconds + left.as_secs_f64()]);
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    let (cpu, peak_mb) = (cpu.elapsed().as_secs_f64(), peak_mb());
    println!(
        "{}",
        serde_json::json!({
            "set": set, "vectors": n, "ms": seconds * 1e3, "cpu_ms": cpu * 1e3, "peak_mb": peak_mb, "stages": stages,
            "estimated_at": estimates, "recall": recall(&rows),
            "trustworthiness": trustworthiness(&rows, &places, 15),
        })
    );
}

/// The share of the 15 neighbours found for some rows that are as near as the 15th of all rows.
fn recall(rows: &Embeddings) -> f64 {
    const K: usize = 15;
    let asked: Vec<usize> = (0..rows.len()).step_by(rows.len().div_ceil(200)).collect();
    let mut queries = Embeddings::new(rows.dimension);
    asked.iter().for_each(|row| queries.data.extend(rows.row(*row)));
    let found = Searcher::new(rows).nearest(rows, &queries, K);
    let good = queries.rows().zip(found).map(|(query, found)| {
        let last = nearest(rows, query, K, |_| false)[K - 1].distance;
        found.iter().filter(|hit| hit.distance <= last).count()
    });
    good.sum::<usize>() as f64 / (K * asked.len()) as f64
}

/// The largest memory of this process until now, in MB of a million bytes; 0 where the system does not say.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024 / 1_000_000
}
