//! How good a network is: accuracy in train mode and in eval mode on the same training files, and
//! recall at 1 on files it has not seen.
//!
//! *Accuracy* is the share of files whose embedding is closest to the prototype of their own label.
//! In train mode a file is normalised together with others, so files are measured in shuffled
//! batches of the training's size; in eval mode a file's company does not matter.

use super::TrainConfig;
use crate::batchnorm::compare;
use crate::job::{Reporter, Stop};
use crate::model::{Embeddings, KeptStatistics, Network, StatisticsPolicy, embed};
use crate::picture::{Encoded, PictureSpec};
use crate::search::nearest;

/// What is measured on; chosen once per training.
pub struct Measured<'a> {
    /// How pictures are made.
    pub spec: PictureSpec,
    /// Training files, shuffled, with their labels.
    pub training: Vec<(&'a Encoded, usize)>,
    /// Training files that answer for recall, with their labels.
    pub answers: Vec<(&'a Encoded, usize)>,
    /// Held-back files that ask, with their labels.
    pub held_back: Vec<(&'a Encoded, usize)>,
}

/// One measurement.
pub struct Found {
    /// Share right in train mode.
    pub train_mode: f64,
    /// Share right in eval mode.
    pub eval_mode: f64,
    /// Recall at 1, if anything was held back.
    pub recall_at_1: Option<f64>,
    /// What each batch-norm layer should keep now.
    pub truth: Vec<KeptStatistics>,
}

impl Measured<'_> {
    /// Measures `network`. Recall is that of the model as the policy would leave it: with
    /// recomputed statistics where they will be recomputed, else with those kept so far.
    pub fn measure(&self, network: &mut Network, config: &TrainConfig) -> Result<Found, Stop> {
        let quiet = Reporter::silent();
        let compared = compare(network, self.spec, &self.training, config.batch_size, &quiet)?;
        let recall_at_1 = if config.batch_norm.statistics == StatisticsPolicy::Recompute {
            let so_far = std::mem::replace(&mut network.kept, compared.truth.clone());
            let recall = self.recall(network);
            network.kept = so_far;
            recall?
        } else {
            self.recall(network)?
        };
        Ok(Found {
            train_mode: compared.train.accuracy(),
            eval_mode: compared.eval.accuracy(),
            recall_at_1,
            truth: compared.truth,
        })
    }

    fn recall(&self, network: &Network) -> Result<Option<f64>, Stop> {
        if self.held_back.is_empty() {
            return Ok(None);
        }
        let quiet = Reporter::silent();
        let embed = |files: &[(&Encoded, usize)]| {
            let pictures: Vec<_> = files.iter().map(|(picture, _)| *picture).collect();
            embed(network, network.dimension(), self.spec, &pictures, &quiet)
        };
        let class = |files: &[(&Encoded, usize)]| files.iter().map(|(_, class)| *class).collect::<Vec<_>>();
        let (library, queries) = (embed(&self.answers)?, embed(&self.held_back)?);
        Ok(Some(recall_at_1(&library, &class(&self.answers), &queries, &class(&self.held_back))))
    }
}

/// Share of `queries` whose nearest row of `library` has their label.
pub fn recall_at_1(library: &Embeddings, labels: &[usize], queries: &Embeddings, wanted: &[usize]) -> f64 {
    let right = queries
        .rows()
        .zip(wanted)
        .filter(|(query, wanted)| {
            let found = nearest(library, query, 1, |_| false);
            found.first().and_then(|first| labels.get(first.row)) == Some(wanted)
        })
        .count();
    right as f64 / wanted.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_counts_the_nearest_label() {
        let rows = |data: &[f32]| Embeddings { dimension: 2, data: data.to_vec() };
        let library = rows(&[1.0, 0.0, 0.0, 1.0]);
        let queries = rows(&[0.8, 0.6, 0.6, 0.8, -1.0, 0.0]);
        let recall = recall_at_1(&library, &[5, 6], &queries, &[5, 5, 6]);
        assert!((recall - 2.0 / 3.0).abs() < 1e-9);
    }
}
