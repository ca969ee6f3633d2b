//! Training: from labelled pictures to a model.
//!
//! A tenth of the files is held back to measure recall. The rest is drawn label by label, so that
//! a rare label counts as much as a frequent one, shown in random views, and pulled towards the
//! prototype of its label ([`objective`]). At the end the batch-norm statistics are recomputed with
//! the weights frozen, unless the user wants another policy.

mod adamw;
mod measure;
pub mod objective;
mod run;
mod sampler;
mod schedule;
mod split;

pub use measure::{Measured, recall_at_1};
pub use run::{Trained, train};
pub use split::{Split, split};

use crate::model::{BatchNormPolicy, Norm};

/// What the user may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainConfig {
    /// Passes over the training set; `None` for as many as [`Self::steps`] finds enough.
    pub epochs: Option<f64>,
    /// Files to a batch, at least 2.
    pub batch_size: usize,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// How its statistics are kept.
    pub batch_norm: BatchNormPolicy,
    /// Highest learning rate of the cycle.
    pub learning_rate: f64,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: None,
            batch_size: 64,
            norm: Norm::Batch,
            batch_norm: BatchNormPolicy::default(),
            learning_rate: 4e-3,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// Batches that suffice for sets of some hundred files: about a minute on two cores.
    const ENOUGH: usize = 400;
    /// A smaller set needs fewer: this many, and [`Self::BY_FILE`] for each file, up to [`Self::ENOUGH`].
    const LEAST: usize = 40;
    const BY_FILE: f64 = 0.8;
    /// Passes over a set too large for [`Self::ENOUGH`] batches to see all of it.
    const PASSES: usize = 2;

    /// Batches to train on `files` files.
    pub fn steps(&self, files: usize) -> usize {
        let batch = self.batch_size.max(1);
        match self.epochs {
            Some(epochs) => (epochs.max(0.0) * files as f64 / batch as f64).ceil().max(1.0) as usize,
            None => {
                let small = Self::LEAST + (Self::BY_FILE * files as f64) as usize;
                small.min(Self::ENOUGH).max((Self::PASSES * files).div_ceil(batch))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_from_epochs_or_from_the_size_of_the_set() {
        let config = TrainConfig::default();
        assert_eq!(config.steps(40), 72);
        assert_eq!(config.steps(500), 400);
        assert_eq!(config.steps(100_000), 3125);
        let config = TrainConfig { epochs: Some(2.0), ..config };
        assert_eq!(config.steps(100), 4);
        assert_eq!(TrainConfig { epochs: Some(0.0), ..config }.steps(100), 1);
    }
}
