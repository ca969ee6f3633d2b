//! Our side of `benches/compare`: repeats one piece of work and prints the milliseconds of each repetition as a JSON
//! array.
//!
//!     ours WORK REPEATS SIZE [FOLDER]
//!     ours map 1 SIZE SET                 the map of a set of vectors: see `large_map`
//!     ours library 1 SIZE FILE SET        writes a library: see `large_library`
//!     ours ask 1 0 FILE QUERIES [LABEL]   asks it: see `large_library`
//!     ours team 1 SIZE SET [SHARDS]       a team's library on one server or several: see `team_library`
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "prints, and may fail at once"
)]

mod large_library;
mod large_map;
#[cfg(target_os = "linux")]
mod team_library;

use candle_core::{Device, Tensor};
use lookalike::job::Reporter;
use lookalike::model::{Embedder, Embeddings, Init, ModelConfig, Network, base_model};
use lookalike::picture::{PictureKind, PictureSpec};
use lookalike::projection::{UmapConfig, trustworthiness, umap};
use lookalike::reading::{Limits, Reader, Workers};
use lookalike::sample::{KeepFacts, Labelling, walk};
use lookalike::search::{Look, Looks, Searcher, ViewIndex, nearest, nearest_by_views};
use lookalike::training::AdamW;
use lookalike::view::{FileViews, HEADER_BINS, HEADER_TERMS, Pairs, TEXT_BINS, TEXT_TERMS, Terms};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::time::Instant;

/// The same as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [work, repeats, size, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: ours WORK REPEATS SIZE [FOLDER]");
        std::process::exit(2);
    };
    let (repeats, size): (usize, usize) = (repeats.parse().unwrap(), size.parse().unwrap());
    let folder = rest.first().map(Path::new);
    let times = match work.as_str() {
        "step" => step(repeats, size),
        "embed" => embed(repeats, size),
        "embed-images" => embed_images(repeats, size),
        "pictures" => pictures(repeats, folder.unwrap(), &workers(), PictureSpec::BYTES),
        "views" => views(repeats, folder.unwrap(), KeepFacts::No),
        "facts" => views(repeats, folder.unwrap(), KeepFacts::Hashes),
        "pictures-inside" => pictures(repeats, folder.unwrap(), &Reader::default(), PictureSpec::BYTES),
        "search-1" => search(repeats, size, 1),
        "search-256" => search(repeats, size, 256),
        "search-views" => search_views(repeats, size),
        "read" => read_bandwidth(repeats, size),
        "peak" => peak(repeats, size),
        "umap" => return lay_out(size),
        "library" => return large_library::write(&rest[1], size, Path::new(&rest[0])),
        "ask" => return large_library::ask(Path::new(&rest[0]), Path::new(&rest[1]), rest.get(2)),
        "map" => return large_map::print(&rest[0], size),
        #[cfg(target_os = "linux")]
        "team" => {
            let shards = rest.get(1).map_or(0, |shards| shards.parse().unwrap());
            return team_library::print(&rest[0], size, shards);
        }
        "place" => return place(size),
        other => panic!("no such work: {other}"),
    };
    println!("{}", serde_json::to_string(&times).unwrap());
}

/// Milliseconds of each repetition, after one to warm up.
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

/// The default network for executables with twenty labels, and a batch of noise.
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

/// A training step: forward, backward and optimiser.
fn step(repeats: usize, batch: usize) -> Vec<f64> {
    let (network, x) = network(batch);
    let classes: Vec<usize> = (0..batch).map(|i| i % 20).collect();
    let mut optimiser = AdamW::new(network.vars(), 0.01);
    timed(repeats, || {
        let lesson = network.backward(&x, &classes).unwrap();
        optimiser.step(&lesson.gradients, 1e-3).unwrap();
    })
}

/// Embeddings in eval mode.
fn embed(repeats: usize, batch: usize) -> Vec<f64> {
    let (network, x) = network(batch);
    let x: Vec<f32> = x.flatten_all().unwrap().to_vec1().unwrap();
    let embedder = Embedder::new(&network).unwrap();
    timed(repeats, || {
        assert_eq!(embedder.embed(&x, PictureSpec::BYTES).unwrap().len(), batch * 64);
    })
}

/// Images by the base model, noise as good as any: the time does not depend on the pixels.
fn embed_images(repeats: usize, batch: usize) -> Vec<f64> {
    let model = base_model(PictureKind::Image).unwrap();
    let spec = model.config.picture;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let x: Vec<f32> = (0..batch * spec.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let embedder = Embedder::new(&model.network).unwrap();
    timed(repeats, || {
        assert_eq!(embedder.embed(&x, spec).unwrap().len(), batch * model.config.embedding);
    })
}

/// Reads in worker processes, like the program.
fn workers() -> Reader {
    Reader::with_workers(Workers::new(env!("CARGO_BIN_EXE_lookalike").into(), Limits::default()))
}

/// The same with the pictures and views of the base model, and with the facts that a library keeps.
fn views(repeats: usize, folder: &Path, facts: KeepFacts) -> Vec<f64> {
    let base = base_model(PictureKind::Bytes).unwrap();
    let reader = workers().with_views(base.views).with_facts(facts);
    pictures(repeats, folder, &reader, base.config.picture)
}

/// Reads, hashes and encodes all files.
fn pictures(repeats: usize, folder: &Path, reader: &Reader, spec: PictureSpec) -> Vec<f64> {
    timed(repeats, || {
        let found = walk(folder, Labelling::FromFolders(1)).found;
        let taken = reader.pictures(&found, spec, &Reporter::silent());
        assert!(!taken.set.samples.is_empty());
    })
}

/// Unit vectors of 64 numbers without structure, the hardest case for a search.
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

/// Looks as files have them: a family shares half of the terms, and some terms are in many families.
fn looks(n: usize) -> Looks {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let embeddings = vectors(n, 1);
    let mut out = Looks::new(embeddings.dimension);
    for (i, embedding) in embeddings.rows().enumerate() {
        let family = (i % (n / 20).max(1)) as u32;
        let mut terms = |kept: usize, bins: u32| {
            let bin = |k: u32, rng: &mut ChaCha8Rng| match k % 4 {
                0 | 1 => family.wrapping_mul(2_654_435_761).wrapping_add(k.wrapping_mul(97)) % bins,
                2 => rng.random_range(0..bins / 64),
                _ => rng.random_range(0..bins),
            };
            let mut weighted: Vec<(u32, f32)> = (0..kept as u32).map(|k| (bin(k, &mut rng), 0.3)).collect();
            weighted.sort_unstable_by_key(|(bin, _)| *bin);
            weighted.dedup_by_key(|(bin, _)| *bin);
            Terms::heaviest(weighted, 1, kept)
        };
        let (text, header) = (terms(TEXT_TERMS, TEXT_BINS as u32), terms(HEADER_TERMS, HEADER_BINS as u32));
        let code =
            Pairs::from_bytes(&embedding.iter().map(|value| (value * 127.0) as i8 as u8).collect::<Vec<_>>());
        let views = FileViews { text, header, code, ..FileViews::default() };
        out.push(&Look { embedding: embedding.to_vec(), views: Some(views) });
    }
    out
}

/// One query by all views.
fn search_views(repeats: usize, n: usize) -> Vec<f64> {
    let (looks, calibration) =
        (looks(n), base_model(PictureKind::Bytes).unwrap().config.calibration.unwrap());
    let index = ViewIndex::new(&looks);
    let mut query = 0;
    timed(repeats, || {
        query = (query + 7919) % n;
        let found = nearest_by_views(&looks, &calibration, Some(&index), None, &looks, query, 11, &|_| true);
        assert_eq!(found[0].row, query);
    })
}

fn search(repeats: usize, n: usize, queries: usize) -> Vec<f64> {
    let library = vectors(n, 1);
    let asked = vectors(queries, 2);
    let searcher = Searcher::new(&library);
    timed(repeats, || {
        let found = searcher.nearest(&library, &asked, 10);
        assert!(found.iter().all(|found| found.len() == 10));
    })
}

/// One read of the vectors on all cores: the limit set by memory.
fn read_bandwidth(repeats: usize, n: usize) -> Vec<f64> {
    use rayon::prelude::*;
    let library = vectors(n, 1);
    timed(repeats, || {
        let sum: f32 =
            library.data.par_chunks(1 << 16).map(|block| block.iter().fold(0.0_f32, |a, b| a.max(*b))).sum();
        assert!(sum > 0.0);
    })
}

/// One product of two square matrices: the limit set by the processor.
fn peak(repeats: usize, side: usize) -> Vec<f64> {
    let matrix = Tensor::rand(-1.0_f32, 1.0, (side, side), &Device::Cpu).unwrap();
    timed(repeats, || {
        matrix.matmul(&matrix).unwrap();
    })
}

/// `n` vectors of the file named by `VECTORS`, starting with `first`.
fn sample(first: usize, n: usize) -> Embeddings {
    let bytes = std::fs::read(std::env::var("VECTORS").unwrap()).unwrap();
    let bytes = &bytes[first * 64 * 4..(first + n) * 64 * 4];
    let data = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    Embeddings { dimension: 64, data }
}

/// Time and trustworthiness of a map of `n` vectors.
fn lay_out(n: usize) {
    let rows = sample(0, n);
    let begun = Instant::now();
    let places = umap(&rows, UmapConfig::default(), &Reporter::silent()).unwrap();
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    // Of the first rows only: comparing all pairs would take longer than the map.
    let kept = n.min(5000);
    let trust = trustworthiness(&sample(0, kept), &places[..kept], 15);
    println!("{}", serde_json::json!({ "ms": ms, "trustworthiness": trust }));
}

/// Places vectors on a map of `n`, one by one: milliseconds for one, and the trustworthiness of 500 places among
/// 4,500 of the map.
fn place(n: usize) {
    const NEW: usize = 500;
    const KNOWN: usize = 4500;
    let places = umap(&sample(0, n), UmapConfig::default(), &Reporter::silent()).unwrap();
    let known = sample(0, n);
    let asked = sample(n, NEW);
    let begun = Instant::now();
    let mut placed: Vec<[f32; 2]> = asked
        .rows()
        .map(|asked| {
            let found = nearest(&known, asked, 15, |_| false);
            lookalike::projection::place(&found, &places).unwrap()
        })
        .collect();
    let ms = begun.elapsed().as_secs_f64() * 1e3 / NEW as f64;
    let mut both = asked;
    both.data.extend(&known.data[..KNOWN * 64]);
    placed.extend(&places[..KNOWN]);
    let trust = trustworthiness(&both, &placed, 15);
    println!("{}", serde_json::json!({ "ms": ms, "trustworthiness": trust }));
}
