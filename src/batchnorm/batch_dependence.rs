//! Batch dependence: how much a sample's train-mode embedding depends on the other samples in its batch.
//!
//! One file is embedded in train mode in batches of several sizes, each filled at random from the same
//! folder. The spread is how far its embeddings are from their common direction. In eval mode there is one
//! embedding, whatever the batch.

use super::batches::ONE_FILE;
use super::modes::argmax;
use crate::job::{Reporter, Stop};
use crate::model::{Embeddings, Mode, Network, picture_batch};
use crate::picture::{Encoded, PictureSpec, View};
use rand::SeedableRng as _;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

/// Batch sizes that are tried, as far as the folder has files.
const BATCH_SIZES: [usize; 8] = [2, 4, 8, 16, 32, 64, 128, 256];
/// Files embedded for one batch size, at most: a large batch is drawn less often.
const FILES: usize = 192;
/// Batches of one size.
const DRAWS: std::ops::RangeInclusive<usize> = 2..=24;

/// One file in batches of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct AtBatchSize {
    /// Files per batch, including the file itself.
    pub size: usize,
    /// Its embedding in each batch.
    pub embeddings: Embeddings,
    /// The label it is assigned in each batch; `None` if the scores are not numbers.
    pub predicted: Vec<Option<usize>>,
    /// Mean cosine distance from their common direction, 0 to 1.
    pub spread: f64,
}

/// One file in batches of all sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchDependence {
    /// By batch size, ascending.
    pub sizes: Vec<AtBatchSize>,
    /// Its embedding in eval mode.
    pub eval: Vec<f32>,
    /// The label it is assigned in eval mode.
    pub eval_predicted: Option<usize>,
}

/// Embeds file `which` of `files` in random batches. Batch sizes larger than the folder are not tried; a
/// folder with one file is an error.
pub fn batch_dependence(
    network: &Network,
    spec: PictureSpec,
    files: &[&Encoded],
    which: usize,
    seed: u64,
    reporter: &Reporter,
) -> Result<BatchDependence, Stop> {
    let Some(file) = files.get(which) else {
        return Err(Stop::failed("expected a file of the open folder, found none"));
    };
    if files.len() < 2 {
        return Err(Stop::failed(ONE_FILE));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sizes: Vec<usize> = BATCH_SIZES.into_iter().filter(|size| *size <= files.len()).collect();
    let draws = |size: usize| (FILES / size).clamp(*DRAWS.start(), *DRAWS.end());
    let stage =
        reporter.stage("Embedding in random batches", sizes.iter().map(|size| draws(*size) * size).sum());
    let mut out = Vec::new();
    for size in sizes {
        let mut found = AtBatchSize {
            size,
            embeddings: Embeddings::new(network.dimension()),
            predicted: Vec::new(),
            spread: 0.0,
        };
        for _ in 0..draws(size) {
            reporter.check()?;
            // Draw the others from all files but this one.
            let others = sample(&mut rng, files.len() - 1, size - 1);
            let others = others.into_iter().map(|i| files[if i >= which { i + 1 } else { i }]);
            let views: Vec<_> =
                std::iter::once(*file).chain(others).map(|picture| (picture, View::Whole)).collect();
            let (embedding, predicted) = embed_first(network, &views, spec, Mode::Train)?;
            found.embeddings.data.extend(embedding);
            found.predicted.push(predicted);
            stage.advance(size);
        }
        found.spread = spread(&found.embeddings);
        out.push(found);
    }
    let (eval, eval_predicted) = embed_first(network, &[(*file, View::Whole)], spec, Mode::Eval)?;
    Ok(BatchDependence { sizes: out, eval, eval_predicted })
}

/// Embedding and assigned label of the first file of a batch.
fn embed_first(
    network: &Network,
    views: &[(&Encoded, View)],
    spec: PictureSpec,
    mode: Mode,
) -> Result<(Vec<f32>, Option<usize>), Stop> {
    let forward = network.forward(&picture_batch(views, spec)?, mode, false)?;
    let predicted = argmax(&network.scores(&forward, false)?.get(0)?.to_vec1::<f32>()?);
    Ok((forward.embeddings.get(0)?.to_vec1::<f32>()?, predicted))
}

/// Mean cosine distance of unit vectors from their common direction.
fn spread(rows: &Embeddings) -> f64 {
    let mut sum = vec![0.0_f64; rows.dimension];
    for row in rows.rows() {
        sum.iter_mut().zip(row).for_each(|(sum, v)| *sum += f64::from(*v));
    }
    // The mean cosine with the direction of the sum is the length of the sum divided by the number of rows.
    let length = sum.iter().map(|v| v * v).sum::<f64>().sqrt();
    (1.0 - length / rows.len().max(1) as f64).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batchnorm::testing::{network, pictures};

    #[test]
    fn spread_of_known_vectors() {
        let rows = Embeddings { dimension: 2, data: vec![1.0, 0.0, 0.0, 1.0] };
        assert!((spread(&rows) - (1.0 - 0.5_f64.sqrt())).abs() < 1e-7);
        assert_eq!(spread(&Embeddings { dimension: 2, data: vec![0.6, 0.8] }), 0.0);
    }

    #[test]
    fn embeddings_depend_on_the_batch_in_train_mode_and_less_in_large_batches() {
        let (pictures, spec) = pictures(40);
        let files: Vec<&Encoded> = pictures.iter().collect();
        let network = network(spec);
        let found = batch_dependence(&network, spec, &files, 3, 1, &Reporter::silent()).unwrap();
        let sizes: Vec<usize> = found.sizes.iter().map(|s| s.size).collect();
        assert_eq!(sizes, [2, 4, 8, 16, 32]);
        let (few, many) = (&found.sizes[0], &found.sizes[4]);
        assert!(few.spread > 2.0 * many.spread && many.spread > 0.0, "{} {}", few.spread, many.spread);
        assert_eq!(found.eval.len(), network.dimension());
        assert_eq!(found, batch_dependence(&network, spec, &files, 3, 1, &Reporter::silent()).unwrap());
        assert!(batch_dependence(&network, spec, &files[..1], 0, 1, &Reporter::silent()).is_err());
    }
}
