//! The statistics of batch normalisation: those of one batch, and the running ones that eval mode uses.
//!
//! The variance that normalises is biased (divided by the count). Which variance enters the running
//! statistics, and the other points on which frameworks differ, is a [`super::convention::Convention`]. A
//! momentum of `m` always means `running ← (1 − m) · running + m · batch`, as in PyTorch. TensorFlow, Keras,
//! Flax and ONNX write the same momentum as `1 − m`.

use super::config::RunningVariance;
use serde::{Deserialize, Serialize};

/// Mean and variance of each channel over one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchStatistics {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Biased variance of each channel.
    pub variance: Vec<f32>,
    /// Values per channel that they were computed from.
    pub count: usize,
}

impl BatchStatistics {
    /// The variance of each channel, biased or not. `count` is at least 2 for statistics from a forward
    /// pass, so the unbiased variance is always finite.
    pub fn variance_as(&self, which: RunningVariance) -> impl Iterator<Item = f32> + '_ {
        let n = self.count as f64;
        let factor = match which {
            RunningVariance::Unbiased => n / (n - 1.0).max(1.0),
            RunningVariance::Biased => 1.0,
        };
        self.variance.iter().map(move |v| (f64::from(*v) * factor) as f32)
    }
}

/// What a layer normalises by in eval mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunningStatistics {
    /// Running mean of each channel; initially 0.
    pub mean: Vec<f32>,
    /// Running variance of each channel; initially 1.
    pub variance: Vec<f32>,
    /// Batches since the last reset.
    pub batches: u64,
}

impl RunningStatistics {
    /// The initial values: mean 0, variance 1, no batches.
    pub fn new(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], variance: vec![1.0; channels], batches: 0 }
    }

    /// Adds a batch. `momentum` is the weight of the new batch, 0 to 1; `None` gives the plain average of
    /// all batches since the last reset.
    pub fn update(&mut self, batch: &BatchStatistics, momentum: Option<f64>, which: RunningVariance) {
        self.batches += 1;
        let m = momentum.unwrap_or(1.0 / self.batches as f64);
        let blend = |running: &mut f32, new: f32| {
            *running = ((1.0 - m) * f64::from(*running) + m * f64::from(new)) as f32;
        };
        for (running, new) in self.mean.iter_mut().zip(&batch.mean) {
            blend(running, *new);
        }
        for (running, new) in self.variance.iter_mut().zip(batch.variance_as(which)) {
            blend(running, new);
        }
    }

    /// Whether every mean and variance is finite. One that is not makes every output of the layer NaN.
    pub fn is_finite(&self) -> bool {
        self.mean.iter().chain(&self.variance).all(|v| v.is_finite())
    }
}

/// Which statistics normalise.
#[derive(Clone, Copy, Debug)]
pub enum Normalise<'a> {
    /// Train mode: those of the batch itself.
    Batch,
    /// Eval mode: the running ones.
    Running(&'a RunningStatistics),
}

/// The error for a batch with too few values per channel to normalise.
pub(super) fn too_few(count: usize) -> candle_core::Error {
    candle_core::Error::Msg(format!(
        "batch norm in train mode: expected at least two values per channel, found {count}. One value has no variance: use a larger batch or picture, or eval mode"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_follow_the_formula() {
        let batch = BatchStatistics { mean: vec![2.0], variance: vec![3.0], count: 4 };
        let mut moving = RunningStatistics::new(1);
        moving.update(&batch, Some(0.1), RunningVariance::Unbiased);
        assert!((moving.mean[0] - 0.2).abs() < 1e-6);
        assert!((moving.variance[0] - (0.9 + 0.1 * 4.0)).abs() < 1e-6);
        let mut average = RunningStatistics::new(1);
        average.update(&batch, None, RunningVariance::Unbiased);
        average.update(&BatchStatistics { mean: vec![4.0], ..batch }, None, RunningVariance::Unbiased);
        assert_eq!((average.mean[0], average.batches), (3.0, 2));
    }
}
