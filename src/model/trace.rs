//! The trace of a training: the statistics of every batch, for each batch-norm layer.
//!
//! A forward pass in train mode never reads running statistics, so the running statistics under any other
//! momentum follow from the batches alone, after the training: [`Trace::replay`]. The trace also holds, for
//! each measured point, the pooled statistics of that moment (over the compared files, with the weights of
//! that step): what the running statistics were approaching.

use super::config::RunningVariance;
use super::statistics::{BatchStatistics, RunningStatistics};
use serde::{Deserialize, Serialize};

/// A longer trace is not stored: it would be larger than the weights.
pub const MAX_STEPS: usize = 1024;

/// The batches of one training, layer by layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// `batches[step][layer]`.
    pub batches: Vec<Vec<BatchStatistics>>,
    /// The pooled statistics, layer by layer, after this many steps.
    pub pooled: Vec<(usize, Vec<RunningStatistics>)>,
}

impl Trace {
    /// Batches so far.
    pub fn steps(&self) -> usize {
        self.batches.len()
    }

    /// Removes everything after `steps` batches.
    pub fn truncate(&mut self, steps: usize) {
        self.batches.truncate(steps);
        self.pooled.retain(|(at, _)| *at <= steps);
    }

    /// The running statistics of each layer after `steps` batches with this momentum; `None` is the plain
    /// average. Empty before the first batch.
    pub fn replay(
        &self,
        steps: usize,
        momentum: Option<f64>,
        which: RunningVariance,
    ) -> Vec<RunningStatistics> {
        let Some(first) = self.batches.first() else {
            return Vec::new();
        };
        let mut running: Vec<_> =
            first.iter().map(|layer| RunningStatistics::new(layer.mean.len())).collect();
        for batch in self.batches.iter().take(steps) {
            for (running, layer) in running.iter_mut().zip(batch) {
                running.update(layer, momentum, which);
            }
        }
        running
    }

    /// Running mean and variance of one channel after each batch, the initial values first: `steps + 1`
    /// pairs. Empty if there is no such channel.
    pub fn replay_channel(
        &self,
        layer: usize,
        channel: usize,
        momentum: Option<f64>,
        which: RunningVariance,
    ) -> Vec<[f64; 2]> {
        let mut running = RunningStatistics::new(1);
        let mut out = vec![[0.0, 1.0]];
        for batch in &self.batches {
            let Some((mean, variance, count)) = batch
                .get(layer)
                .and_then(|l| Some((*l.mean.get(channel)?, *l.variance.get(channel)?, l.count)))
            else {
                return Vec::new();
            };
            running.update(
                &BatchStatistics { mean: vec![mean], variance: vec![variance], count },
                momentum,
                which,
            );
            out.push([f64::from(running.mean[0]), f64::from(running.variance[0])]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_equals_updating_batch_by_batch() {
        let batch = |mean: f32, variance: f32| BatchStatistics {
            mean: vec![mean, -mean],
            variance: vec![variance, 2.0],
            count: 10,
        };
        let batches: Vec<_> = [(1.0, 0.5), (2.0, 0.7), (4.0, 0.1)].map(|(m, v)| vec![batch(m, v)]).into();
        let trace = Trace { batches: batches.clone(), pooled: Vec::new() };
        for momentum in [Some(0.1), Some(0.5), None] {
            let mut running = RunningStatistics::new(2);
            batches.iter().for_each(|layers| running.update(&layers[0], momentum, RunningVariance::Unbiased));
            assert_eq!(trace.replay(3, momentum, RunningVariance::Unbiased), [running.clone()]);
            let channel = trace.replay_channel(0, 1, momentum, RunningVariance::Unbiased);
            assert_eq!(channel.len(), 4);
            assert_eq!(channel[3], [f64::from(running.mean[1]), f64::from(running.variance[1])]);
        }
        assert!(trace.replay_channel(0, 2, None, RunningVariance::Biased).is_empty());
        assert!(Trace::default().replay(3, None, RunningVariance::Biased).is_empty());
    }
}
