//! The figures of a network during training: accuracy in train mode and in eval mode on the same training
//! files, and recall at 1 on held-out files.
//!
//! *Accuracy* is the share of files with the highest score for their own label. In train mode a file is
//! normalised together with others, so files are measured in shuffled batches of the training's size; in eval
//! mode the rest of the batch has no effect.

use super::config::TrainConfig;
use crate::batchnorm::compare;
use crate::job::{Reporter, Stop};
use crate::model::{Network, RunningStatistics, StatisticsPolicy, embed};
use crate::picture::{Encoded, PictureSpec};
use crate::search::{Hit, nearest};

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
    /// The cosine distance from its nearest training file that 1 % of the held-out files exceed; `None` with too few of them.
    pub unlike_above: Option<f32>,
    /// The pooled statistics of each batch-norm layer.
    pub pooled: Vec<RunningStatistics>,
}

impl MeasuredFiles<'_> {
    /// Measures `network`. Recall is measured with the statistics that the finished model would have: pooled
    /// ones if the policy recomputes them, otherwise the present running statistics.
    pub fn measure(&self, network: &mut Network, config: &TrainConfig) -> Result<Measurement, Stop> {
        let quiet = Reporter::silent();
        let compared = compare(network, self.spec, &self.training, config.batch_size, &quiet)?;
        let (recall_at_1, unlike_above) = if config.batch_norm.statistics == StatisticsPolicy::Recompute {
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
            unlike_above,
            pooled: compared.pooled,
        })
    }

    fn recall(&self, network: &Network) -> Result<(Option<f64>, Option<f32>), Stop> {
        if self.held_out.is_empty() {
            return Ok((None, None));
        }
        let quiet = Reporter::silent();
        let embed = |files: &[(&Encoded, usize)]| {
            let pictures: Vec<_> = files.iter().map(|(picture, _)| *picture).collect();
            embed(network, network.dimension(), self.spec, &pictures, &quiet)
        };
        let class = |files: &[(&Encoded, usize)]| files.iter().map(|(_, class)| *class).collect::<Vec<_>>();
        let (library, queries) = (embed(&self.library)?, embed(&self.held_out)?);
        let found: Vec<Hit> =
            queries.rows().filter_map(|query| nearest(&library, query, 1, |_| false).pop()).collect();
        let recall = recall_at_1(&found, &class(&self.library), &class(&self.held_out));
        Ok((Some(recall), unlike_above(&found)))
    }
}

/// Share of queries whose nearest row has their label. `found` are the nearest rows, `labels` the labels of all rows,
/// `expected` those of the queries.
fn recall_at_1(found: &[Hit], labels: &[usize], expected: &[usize]) -> f64 {
    let correct =
        found.iter().zip(expected).filter(|(hit, expected)| labels.get(hit.row) == Some(expected)).count();
    correct as f64 / expected.len().max(1) as f64
}

/// The share of the held-out files that are farther from the training files than what counts as near.
const UNLIKE: f64 = 0.01;
/// With fewer held-out files, nothing can be said about the farthest hundredth.
const LEAST: usize = 20;

/// The distance that a hundredth of the held-out files exceed.
fn unlike_above(found: &[Hit]) -> Option<f32> {
    let mut distances: Vec<f32> = found.iter().map(|hit| hit.distance).collect();
    distances.sort_unstable_by(f32::total_cmp);
    let rank = ((1.0 - UNLIKE) * (distances.len() as f64 - 1.0)).ceil() as usize;
    distances.get(rank).copied().filter(|_| distances.len() >= LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_counts_queries_whose_nearest_row_has_their_label() {
        let found = [0, 1, 1].map(|row| Hit::new(row, 0.5));
        let recall = recall_at_1(&found, &[5, 6], &[5, 5, 6]);
        assert!((recall - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_hundredth_of_the_held_out_files_is_far() {
        let found: Vec<Hit> = (0..201).map(|i| Hit::new(0, i as f32 / 100.0)).collect();
        assert_eq!(unlike_above(&found), Some(1.98));
        assert_eq!(unlike_above(&found[..LEAST]), Some(0.19));
        assert_eq!(unlike_above(&found[..LEAST - 1]), None);
    }
}
