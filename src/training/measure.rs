//! The figures of a network during training: accuracy in train mode and in eval mode on the same training
//! files, and recall at 1 on held-out files.
//!
//! *Accuracy* is the share of files with the highest score for their own label. In train mode a file is
//! normalised together with others, so files are measured in shuffled batches of the training's size; in eval
//! mode the rest of the batch has no effect.

use super::config::TrainConfig;
use crate::batchnorm::compare;
use crate::job::{Reporter, Stop};
use crate::model::{Embeddings, Network, RunningStatistics, StatisticsPolicy, embed};
use crate::picture::{Encoded, PictureSpec};
use crate::search::nearest;

/// The files that are measured on, chosen once per training.
pub struct MeasuredFiles<'a> {
    /// How pictures are computed.
    pub spec: PictureSpec,
    /// Training files, shuffled, with their labels.
    pub training: Vec<(&'a Encoded, usize)>,
    /// Training files among which recall finds the nearest, with their labels.
    pub library: Vec<(&'a Encoded, usize)>,
    /// Held-out files, the queries of recall, with their labels.
    pub held_out: Vec<(&'a Encoded, usize)>,
}

/// One measurement.
pub struct Measurement {
    /// Accuracy in train mode.
    pub train_mode: f64,
    /// Accuracy in eval mode.
    pub eval_mode: f64,
    /// Recall at 1, if any files are held out.
    pub recall_at_1: Option<f64>,
    /// The pooled statistics of each batch-norm layer.
    pub pooled: Vec<RunningStatistics>,
}

impl MeasuredFiles<'_> {
    /// Measures `network`. Recall is measured with the statistics that the finished model would have: pooled
    /// ones if the policy recomputes them, otherwise the present running statistics.
    pub fn measure(&self, network: &mut Network, config: &TrainConfig) -> Result<Measurement, Stop> {
        let quiet = Reporter::silent();
        let compared = compare(network, self.spec, &self.training, config.batch_size, &quiet)?;
        let recall_at_1 = if config.batch_norm.statistics == StatisticsPolicy::Recompute {
            let running = std::mem::replace(&mut network.running, compared.pooled.clone());
            let recall = self.recall(network);
            network.running = running;
            recall?
        } else {
            self.recall(network)?
        };
        Ok(Measurement {
            train_mode: compared.train.accuracy(),
            eval_mode: compared.eval.accuracy(),
            recall_at_1,
            pooled: compared.pooled,
        })
    }

    fn recall(&self, network: &Network) -> Result<Option<f64>, Stop> {
        if self.held_out.is_empty() {
            return Ok(None);
        }
        let quiet = Reporter::silent();
        let embed = |files: &[(&Encoded, usize)]| {
            let pictures: Vec<_> = files.iter().map(|(picture, _)| *picture).collect();
            embed(network, network.dimension(), self.spec, &pictures, &quiet)
        };
        let class = |files: &[(&Encoded, usize)]| files.iter().map(|(_, class)| *class).collect::<Vec<_>>();
        let (library, queries) = (embed(&self.library)?, embed(&self.held_out)?);
        Ok(Some(recall_at_1(&library, &class(&self.library), &queries, &class(&self.held_out))))
    }
}

/// Share of `queries` whose nearest row of `library` has their label. `labels` are those of the library,
/// `expected` those of the queries.
fn recall_at_1(library: &Embeddings, labels: &[usize], queries: &Embeddings, expected: &[usize]) -> f64 {
    let correct = queries
        .rows()
        .zip(expected)
        .filter(|(query, expected)| {
            let found = nearest(library, query, 1, |_| false);
            found.first().and_then(|first| labels.get(first.row)) == Some(expected)
        })
        .count();
    correct as f64 / expected.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_counts_queries_whose_nearest_row_has_their_label() {
        let rows = |data: &[f32]| Embeddings { dimension: 2, data: data.to_vec() };
        let library = rows(&[1.0, 0.0, 0.0, 1.0]);
        let queries = rows(&[0.8, 0.6, 0.6, 0.8, -1.0, 0.0]);
        let recall = recall_at_1(&library, &[5, 6], &queries, &[5, 5, 6]);
        assert!((recall - 2.0 / 3.0).abs() < 1e-9);
    }
}
