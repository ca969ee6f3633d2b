//! The figures of a network during training: accuracy in train mode and in eval mode on the same training
//! files, and recall at 1 on held-out files.
//!
//! *Accuracy* is the share of files with the highest score for their own label. In train mode a file is
//! normalised together with others, so files are measured in shuffled batches of the training's size; in eval
//! mode the rest of the batch has no effect.

use super::calibrate_own::{Both, LEAST_FILES, LabelledLooks, calibrate_own};
use super::config::TrainConfig;
use crate::batchnorm::compare;
use crate::job::{Reporter, Stop};
use crate::model::{Network, RunningStatistics, StatisticsPolicy, embed, embed_with_shifts};
use crate::picture::{Encoded, PictureSpec};
use crate::search::{Hit, Looks, nearest};

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

    /// Calibrates the finished `network` on the held-out files, from the calibrations of the model that it started from;
    /// `None` if they are too few, or what the views see of a file is missing.
    pub fn calibrate(&self, network: &Network, from: &Both) -> Result<Option<Both>, Stop> {
        let looks = |files: &[(&Encoded, usize)]| -> Result<Option<LabelledLooks>, Stop> {
            let Some(views) = files.iter().map(|(picture, _)| picture.views().cloned()).collect() else {
                return Ok(None);
            };
            let pictures: Vec<_> = files.iter().map(|(picture, _)| *picture).collect();
            let embeddings = embed(network, network.dimension(), self.spec, &pictures, &Reporter::silent())?;
            let classes = files.iter().map(|(_, class)| *class).collect();
            Ok(Some(LabelledLooks { looks: Looks { embeddings, views }, classes }))
        };
        if self.held_out.len() < LEAST_FILES {
            return Ok(None);
        }
        let both = looks(&self.library)?.zip(looks(&self.held_out)?);
        Ok(both.and_then(|(library, held_out)| calibrate_own(from, &library, &held_out)))
    }

    /// The layer shift that a hundredth of the held-out files exceed; `None` without batch norm, or with too few of them.
    pub fn shift_above(&self, network: &Network) -> Result<Option<f32>, Stop> {
        let pictures: Vec<_> = self.held_out.iter().map(|(picture, _)| *picture).collect();
        let quiet = Reporter::silent();
        let (_, shifts) = embed_with_shifts(network, network.dimension(), self.spec, &pictures, &quiet)?;
        Ok(hundredth(shifts.into_iter().flatten().collect()))
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
    hundredth(found.iter().map(|hit| hit.distance).collect())
}

/// The value that a hundredth of them exceed; `None` of too few, or if it is not finite.
fn hundredth(mut values: Vec<f32>) -> Option<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let rank = ((1.0 - UNLIKE) * (values.len() as f64 - 1.0)).ceil() as usize;
    values.get(rank).copied().filter(|value| values.len() >= LEAST && value.is_finite())
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
