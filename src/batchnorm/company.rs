//! The company a file keeps: in train mode one file has as many embeddings as there are batches it
//! could stand in.
//!
//! The file is embedded in train mode in batches of several sizes, each filled at random from the
//! same folder. How far the embeddings lie about their centre is the spread. In eval mode there is
//! one embedding, whatever the company.

use super::ALONE;
use crate::job::{Reporter, Stop};
use crate::model::{Embeddings, Mode, Network, picture_batch};
use crate::picture::{Encoded, PictureSpec, View};
use rand::SeedableRng as _;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

/// Batch sizes that are tried, as far as the folder has files.
pub const SIZES: [usize; 8] = [2, 4, 8, 16, 32, 64, 128, 256];
/// Files that are embedded for one size, at most: a large batch is drawn less often.
const FILES: usize = 192;
/// Batches of one size: at least, at most.
const DRAWS: std::ops::RangeInclusive<usize> = 2..=24;

/// One file in batches of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct InCompany {
    /// Files to a batch, the file itself among them.
    pub size: usize,
    /// Its embedding in each batch.
    pub embeddings: Embeddings,
    /// The label it is put to in each batch; `None` where the scores are not numbers.
    pub said: Vec<Option<usize>>,
    /// Mean cosine distance from their common direction, 0 to 1.
    pub spread: f64,
}

/// One file in all companies.
#[derive(Clone, Debug, PartialEq)]
pub struct Company {
    /// By size, ascending.
    pub sizes: Vec<InCompany>,
    /// In eval mode.
    pub eval: Vec<f32>,
    /// The label it is put to in eval mode.
    pub eval_said: Option<usize>,
}

/// Embeds file `which` of `files` in random company. Sizes larger than the folder are left out; a
/// folder with one file has no company, which is an error that says so.
pub fn company(
    network: &Network,
    spec: PictureSpec,
    files: &[&Encoded],
    which: usize,
    seed: u64,
    reporter: &Reporter,
) -> Result<Company, Stop> {
    let Some(file) = files.get(which) else {
        return Err(Stop::Failed("expected a file of the open folder, found none".into()));
    };
    if files.len() < 2 {
        return Err(Stop::Failed(ALONE.into()));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size <= files.len()).collect();
    let draws = |size: usize| (FILES / size).clamp(*DRAWS.start(), *DRAWS.end());
    let stage = reporter.stage("Embedding in company", sizes.iter().map(|size| draws(*size) * size).sum());
    let mut out = Vec::new();
    for size in sizes {
        let mut found = InCompany {
            size,
            embeddings: Embeddings::new(network.dimension()),
            said: Vec::new(),
            spread: 0.0,
        };
        for _ in 0..draws(size) {
            reporter.check()?;
            // The others: drawn from all but the file itself.
            let others = sample(&mut rng, files.len() - 1, size - 1);
            let others = others.into_iter().map(|i| files[if i >= which { i + 1 } else { i }]);
            let views: Vec<_> =
                std::iter::once(*file).chain(others).map(|picture| (picture, View::Whole)).collect();
            let (embedding, said) = first(network, &views, spec, Mode::Train)?;
            found.embeddings.data.extend(embedding);
            found.said.push(said);
            stage.advance(size);
        }
        found.spread = spread(&found.embeddings);
        out.push(found);
    }
    let (eval, eval_said) = first(network, &[(*file, View::Whole)], spec, Mode::Eval)?;
    Ok(Company { sizes: out, eval, eval_said })
}

/// Embedding and label of the first file of a batch.
fn first(
    network: &Network,
    views: &[(&Encoded, View)],
    spec: PictureSpec,
    mode: Mode,
) -> Result<(Vec<f32>, Option<usize>), Stop> {
    let forward = network.forward(&picture_batch(views, spec)?, mode, false)?;
    let said = super::modes::highest(&network.scores(&forward, false)?.get(0)?.to_vec1::<f32>()?);
    Ok((forward.embeddings.get(0)?.to_vec1::<f32>()?, said))
}

/// Mean cosine distance of unit vectors from their common direction.
fn spread(rows: &Embeddings) -> f64 {
    let mut sum = vec![0.0_f64; rows.dimension];
    for row in rows.rows() {
        sum.iter_mut().zip(row).for_each(|(sum, v)| *sum += f64::from(*v));
    }
    // The mean of the cosines with the direction of the sum is the sum's length over their number.
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
    fn company_matters_in_train_mode_and_less_in_large_batches() {
        let (pictures, spec) = pictures(40);
        let files: Vec<&Encoded> = pictures.iter().collect();
        let network = network(spec);
        let found = company(&network, spec, &files, 3, 1, &Reporter::silent()).unwrap();
        let sizes: Vec<usize> = found.sizes.iter().map(|s| s.size).collect();
        assert_eq!(sizes, [2, 4, 8, 16, 32]);
        let (few, many) = (&found.sizes[0], &found.sizes[4]);
        assert!(few.spread > 2.0 * many.spread && many.spread > 0.0, "{} {}", few.spread, many.spread);
        assert_eq!(found.eval.len(), network.dimension());
        assert_eq!(found, company(&network, spec, &files, 3, 1, &Reporter::silent()).unwrap());
        assert!(company(&network, spec, &files[..1], 0, 1, &Reporter::silent()).is_err());
    }
}
