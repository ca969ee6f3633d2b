//! Our side of `benches/compare`: does one piece of work several times and prints the milliseconds of
//! each as a JSON array.
//!
//!     ours WORK REPEATS [FOLDER]
#![allow(clippy::unwrap_used, reason = "a benchmark may fail at once")]

use candle_core::{Device, Tensor};
use lookalike::job::Reporter;
use lookalike::library::Contents;
use lookalike::model::{Embeddings, Init, ModelConfig, Network};
use lookalike::picture::{PictureSpec, encode_all};
use lookalike::projection::{UmapConfig, trustworthiness, umap};
use lookalike::sample::{Layout, walk};
use lookalike::search::{Searcher, nearest};
use lookalike::training::AdamW;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::time::Instant;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [work, repeats, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: ours WORK REPEATS [FOLDER]");
        std::process::exit(2);
    };
    let repeats: usize = repeats.parse().unwrap();
    let folder = rest.first().map(Path::new);
    let times = match work.as_str() {
        "step" => step(repeats),
        "embed-64" => embed(repeats, 64),
        "embed-1" => embed(repeats, 1),
        "pictures" => pictures(repeats, folder.unwrap()),
        "search-1" => search(repeats, 1),
        "search-256" => search(repeats, 256),
        "read" => read_bandwidth(repeats),
        "peak" => peak(repeats),
        "umap" => return lay_out(rest.first().map_or(20_000, |n| n.parse().unwrap())),
        "place" => place(repeats),
        other => panic!("no such work: {other}"),
    };
    println!("{}", serde_json::to_string(&times).unwrap());
}

/// Milliseconds of each repetition, after one that does not count.
fn timed(repeats: usize, mut work: impl FnMut()) -> Vec<f64> {
    work();
    (0..repeats)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect()
}

/// The default network for executables of twenty labels, and a batch of noise.
fn network(batch: usize) -> (Network, Tensor) {
    let labels = (0..20).map(|i| i.to_string()).collect();
    let config = ModelConfig::new(PictureSpec::BYTES, labels);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let network = Network::new(&config, Init::Default, &mut rng).unwrap();
    let values: Vec<f32> = (0..batch * config.picture.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let side = config.picture.side;
    let shape = (batch, side, side, config.picture.kind.channels());
    (network, Tensor::from_vec(values, shape, &Device::Cpu).unwrap())
}

/// Forward, backward and optimiser, batch 64.
fn step(repeats: usize) -> Vec<f64> {
    let (network, x) = network(64);
    let classes: Vec<usize> = (0..64).map(|i| i % 20).collect();
    let mut optimiser = AdamW::new(network.vars(), 0.01);
    timed(repeats, || {
        let lesson = network.learn(&x, &classes).unwrap();
        optimiser.step(&lesson.gradients, 1e-3).unwrap();
    })
}

/// Eval mode as `embed` does it.
fn embed(repeats: usize, batch: usize) -> Vec<f64> {
    let (network, x) = network(batch);
    let x: Vec<f32> = x.flatten_all().unwrap().to_vec1().unwrap();
    let embedder = network.embedder().unwrap();
    timed(repeats, || {
        assert_eq!(embedder.embed(&x, PictureSpec::BYTES).len(), batch * 64);
    })
}

/// Read, hash and encode all files.
fn pictures(repeats: usize, folder: &Path) -> Vec<f64> {
    timed(repeats, || {
        let (found, _) = walk(folder, Layout::Labelled);
        let taken = encode_all(&found, PictureSpec::BYTES, &Reporter::silent());
        assert!(!taken.set.samples.is_empty());
    })
}

/// Unit vectors of 64 numbers without any structure: the hardest to tell apart.
fn vectors(n: usize, seed: u64) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut out = Embeddings::new(64);
    for _ in 0..n {
        let row: Vec<f32> = (0..64).map(|_| rng.random_range(-1.0..1.0)).collect();
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        out.data.extend(row.iter().map(|v| v / length));
    }
    out
}

fn search(repeats: usize, queries: usize) -> Vec<f64> {
    let library = vectors(1_000_000, 1);
    let asked = vectors(queries, 2);
    let searcher = Searcher::new(&library);
    timed(repeats, || {
        let found = searcher.nearest(&library, &asked, 10);
        assert!(found.iter().all(|found| found.len() == 10));
    })
}

/// One read of the vectors, on all cores: what memory allows.
fn read_bandwidth(repeats: usize) -> Vec<f64> {
    use rayon::prelude::*;
    let library = vectors(1_000_000, 1);
    timed(repeats, || {
        let sum: f32 =
            library.data.par_chunks(1 << 16).map(|block| block.iter().fold(0.0_f32, |a, b| a.max(*b))).sum();
        assert!(sum > 0.0);
    })
}

/// One product of two 2048 × 2048 matrices: what the processor allows.
fn peak(repeats: usize) -> Vec<f64> {
    let matrix = Tensor::rand(-1.0_f32, 1.0, (2048, 2048), &Device::Cpu).unwrap();
    timed(repeats, || {
        matrix.matmul(&matrix).unwrap();
    })
}

/// Time and trustworthiness of a map of the first `n` vectors in the file that `VECTORS` names.
fn lay_out(n: usize) {
    let path = std::env::var("VECTORS").unwrap();
    let bytes = std::fs::read(path).unwrap();
    let data: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let rows = Embeddings { dimension: 64, data: data[..n * 64].to_vec() };
    let begun = Instant::now();
    let places = umap(&rows, UmapConfig::default(), &Reporter::silent()).unwrap();
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    // Of the first rows: all pairs of a large map would take longer than the map.
    let kept = n.min(5000);
    let first = Embeddings { dimension: 64, data: rows.data[..kept * 64].to_vec() };
    let trust = trustworthiness(&first, &places[..kept], 15);
    println!("{}", serde_json::json!({ "ms": ms, "trustworthiness": trust }));
}

/// One vector onto a map of 20,000.
fn place(repeats: usize) -> Vec<f64> {
    let library = vectors(20_000, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let places: Vec<[f32; 2]> = (0..20_000).map(|_| [rng.random(), rng.random()]).collect();
    let contents = Contents { embeddings: library, places, ..Contents::default() };
    let asked = vectors(1, 2);
    timed(repeats, || {
        let found = nearest(&contents.embeddings, asked.row(0), 15, |_| false);
        assert!(lookalike::projection::place(&found, &contents.places).is_some());
    })
}
