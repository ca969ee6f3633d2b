//! Embeddings for the tests of search.

use crate::model::Embeddings;
use rand::{Rng as _, SeedableRng as _};

/// `n` random unit vectors.
pub fn random(n: usize, dimension: usize) -> Embeddings {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let mut out = Embeddings::new(dimension);
    for _ in 0..n {
        let row: Vec<f32> = (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect();
        push(&mut out, row);
    }
    out
}

/// `n` unit vectors, around one centre after the other, with up to this noise a number.
pub fn around(centres: &Embeddings, n: usize, noise: f32) -> Embeddings {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(6);
    let mut out = Embeddings::new(centres.dimension);
    for i in 0..n {
        let centre = centres.row(i % centres.len());
        let row = centre.iter().map(|v| v + noise * rng.random_range(-1.0..1.0)).collect();
        push(&mut out, row);
    }
    out
}

fn push(out: &mut Embeddings, row: Vec<f32>) {
    let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
    out.data.extend(row.iter().map(|v| v / length));
}
