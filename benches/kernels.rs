//! Our own kernels one by one, with criterion.
//!
//!     cargo bench --bench kernels [NAME]
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may fail at once")]

use candle_core::{Device, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lookalike::job::Reporter;
use lookalike::model::{Embedder, Embeddings, Init, ModelConfig, Network};
use lookalike::picture::{BytePlanes, Encoded, PictureSpec, View, fill};
use lookalike::projection::{PlaceGrid, UmapConfig, pca, umap};
use lookalike::search::{Searcher, nearest};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `size` bytes of machine code, text and zeros: this program, repeated.
fn executable(size: usize) -> Vec<u8> {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    own.iter().copied().cycle().take(size).collect()
}

fn rows(n: usize) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut out = Embeddings::new(64);
    for _ in 0..n {
        let row: Vec<f32> = (0..64).map(|_| rng.random_range(-1.0..1.0)).collect();
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        out.data.extend(row.iter().map(|v| v / length));
    }
    out
}

fn pictures(c: &mut Criterion) {
    let mut group = c.benchmark_group("byte planes");
    for size in [16 << 10, 128 << 10, 1 << 20, 8 << 20] {
        let bytes = executable(size);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &bytes, |b, bytes| {
            b.iter(|| BytePlanes::of(bytes));
        });
    }
    group.finish();
    let picture = Encoded::Bytes(BytePlanes::of(&executable(1 << 20)));
    let mut out = vec![0.0; PictureSpec::BYTES.len()];
    let view = View::Crop { start: 0.2, length: 0.7 };
    c.bench_function("random view", |b| {
        b.iter(|| fill(black_box(&picture), PictureSpec::BYTES, view, &mut out));
    });
}

fn network(c: &mut Criterion) {
    let config = ModelConfig::new(PictureSpec::BYTES, (0..20).map(|i| i.to_string()).collect());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let network = Network::new(&config, Init::Default, &mut rng).unwrap();
    let values: Vec<f32> = (0..16 * PictureSpec::BYTES.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let embedder = Embedder::new(&network).unwrap();
    c.bench_function("embed 16 pictures", |b| b.iter(|| embedder.embed(&values, PictureSpec::BYTES)));
    let x = Tensor::from_vec(values, (16, 64, 64, 6), &Device::Cpu).unwrap();
    let classes: Vec<usize> = (0..16).collect();
    c.bench_function("forward and backward of 16 pictures", |b| {
        b.iter(|| network.backward(&x, &classes).unwrap());
    });
}

fn search(c: &mut Criterion) {
    let library = rows(100_000);
    let asked = rows(1);
    let searcher = Searcher::new(&library);
    c.bench_function("codes of 100,000 rows", |b| b.iter(|| Searcher::new(&library)));
    c.bench_function("nearest of 100,000 by codes", |b| b.iter(|| searcher.nearest(&library, &asked, 10)));
    c.bench_function("nearest of 100,000 by every row", |b| {
        b.iter(|| nearest(&library, asked.row(0), 10, |_| false));
    });
}

fn projection(c: &mut Criterion) {
    let library = rows(2000);
    c.bench_function("pca of 2,000 rows", |b| b.iter(|| pca(&library)));
    c.bench_function("umap of 2,000 rows", |b| {
        b.iter(|| umap(&library, UmapConfig::default(), &Reporter::silent()).unwrap());
    });
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let places: Vec<[f32; 2]> = (0..1_000_000).map(|_| [rng.random(), rng.random()]).collect();
    c.bench_function("grid of 1,000,000 places", |b| b.iter(|| PlaceGrid::new(&places)));
    let grid = PlaceGrid::new(&places);
    c.bench_function("pick among 1,000,000 places", |b| {
        b.iter(|| {
            grid.nearest(black_box([0.5, 0.5]), [0.01; 2], |_| true, |[x, y]| (x - 0.5).hypot(y - 0.5))
        });
    });
}

criterion_group! {
    name = kernels;
    config = Criterion::default().sample_size(20);
    targets = pictures, network, search, projection
}
criterion_main!(kernels);
