//! Embeddings for the tests of search.

use crate::model::Embeddings;
use rand::{Rng as _, SeedableRng as _};

/// `n` random unit vectors.
pub fn random(n: usize, dimension: usize) -> Embeddings {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let mut out = Embeddings::new(dimension);
    for _ in 0..n {
        let row: Vec<f32> = (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect();
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        out.data.extend(row.iter().map(|v| v / length));
    }
    out
}
