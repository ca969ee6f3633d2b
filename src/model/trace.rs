//! The trace of a training: the statistics of every batch that each batch-norm layer saw.
//!
//! A forward pass in train mode never reads what was kept, so what would have been kept under any
//! other momentum follows from the batches alone, after the fact: [`Trace::replay`]. Beside them, at
//! the measured points, stand the statistics that were true then (of the compared files, with the
//! weights of that moment): what the kept ones were chasing.

use super::batch_norm::{BatchStatistics, KeptStatistics};
use super::config::KeptVariance;
use serde::{Deserialize, Serialize};

/// A trace longer than this is not kept: it would outgrow the weights.
pub const LONGEST: usize = 1024;

/// One training's batches, layer by layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// `batches[step][layer]`.
    pub batches: Vec<Vec<BatchStatistics>>,
    /// Steps done when the truth was measured, and the truth, layer by layer.
    pub truths: Vec<(usize, Vec<KeptStatistics>)>,
}

impl Trace {
    /// Batches seen.
    pub fn steps(&self) -> usize {
        self.batches.len()
    }

    /// Forgets everything after `steps` batches.
    pub fn truncate(&mut self, steps: usize) {
        self.batches.truncate(steps);
        self.truths.retain(|(at, _)| *at <= steps);
    }

    /// What each layer would keep after `steps` batches with this momentum; `None` is the plain
    /// average. Empty before the first batch.
    pub fn replay(&self, steps: usize, momentum: Option<f64>, which: KeptVariance) -> Vec<KeptStatistics> {
        let Some(first) = self.batches.first() else {
            return Vec::new();
        };
        let mut kept: Vec<_> = first.iter().map(|layer| KeptStatistics::new(layer.mean.len())).collect();
        for batch in self.batches.iter().take(steps) {
            for (kept, layer) in kept.iter_mut().zip(batch) {
                kept.keep(layer, momentum, which);
            }
        }
        kept
    }

    /// Mean and variance of one channel as they would be kept after each batch, the initial 0 and 1
    /// first: `steps + 1` pairs. Empty for a channel that is not there.
    pub fn replay_channel(
        &self,
        layer: usize,
        channel: usize,
        momentum: Option<f64>,
        which: KeptVariance,
    ) -> Vec<[f64; 2]> {
        let mut kept = KeptStatistics::new(1);
        let mut out = vec![[0.0, 1.0]];
        for batch in &self.batches {
            let Some((mean, variance, count)) = batch
                .get(layer)
                .and_then(|l| Some((*l.mean.get(channel)?, *l.variance.get(channel)?, l.count)))
            else {
                return Vec::new();
            };
            kept.keep(
                &BatchStatistics { mean: vec![mean], variance: vec![variance], count },
                momentum,
                which,
            );
            out.push([f64::from(kept.mean[0]), f64::from(kept.variance[0])]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_what_keeping_would_have_given() {
        let batch = |mean: f32, variance: f32| BatchStatistics {
            mean: vec![mean, -mean],
            variance: vec![variance, 2.0],
            count: 10,
        };
        let batches: Vec<_> = [(1.0, 0.5), (2.0, 0.7), (4.0, 0.1)].map(|(m, v)| vec![batch(m, v)]).into();
        let trace = Trace { batches: batches.clone(), truths: Vec::new() };
        for momentum in [Some(0.1), Some(0.5), None] {
            let mut kept = KeptStatistics::new(2);
            batches.iter().for_each(|layers| kept.keep(&layers[0], momentum, KeptVariance::Unbiased));
            assert_eq!(trace.replay(3, momentum, KeptVariance::Unbiased), [kept.clone()]);
            let channel = trace.replay_channel(0, 1, momentum, KeptVariance::Unbiased);
            assert_eq!(channel.len(), 4);
            assert_eq!(channel[3], [f64::from(kept.mean[1]), f64::from(kept.variance[1])]);
        }
        assert!(trace.replay_channel(0, 2, None, KeptVariance::Biased).is_empty());
        assert!(Trace::default().replay(3, None, KeptVariance::Biased).is_empty());
    }
}
