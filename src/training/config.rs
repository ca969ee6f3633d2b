//! The settings of a training.

use crate::model::{BatchNormPolicy, Head, Init, KERAS, Norm, StatisticsPolicy};
use serde::Serialize;

/// The optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Optimiser {
    /// AdamW with weight decay 0.01.
    AdamW,
    /// Adam: the same without weight decay.
    Adam,
    /// Stochastic gradient descent with momentum 0.9.
    Sgd,
}

/// How the files of a batch are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Sampling {
    /// Every label is equally likely; files appear in random views.
    Balanced,
    /// All files in random order, epoch by epoch, without random views: what most tutorials do.
    Shuffled,
}

/// The settings of a training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainConfig {
    /// Passes over the training set; `None` lets [`Self::steps`] choose.
    pub epochs: Option<f64>,
    /// The smallest number of batches if `epochs` is given.
    pub min_steps: usize,
    /// Files per batch, at least 2.
    pub batch_size: usize,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// How batch normalisation is set up.
    pub batch_norm: BatchNormPolicy,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Whether the learning rate follows one cycle; otherwise it is constant.
    pub one_cycle: bool,
    /// The optimiser.
    pub optimiser: Optimiser,
    /// How the files of a batch are drawn.
    pub sampling: Sampling,
    /// The layers after the convolutions.
    pub head: Head,
    /// How weights are initialised.
    pub init: Init,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: None,
            min_steps: 1,
            batch_size: 64,
            norm: Norm::Batch,
            batch_norm: BatchNormPolicy::default(),
            learning_rate: 4e-3,
            one_cycle: true,
            optimiser: Optimiser::AdamW,
            sampling: Sampling::Balanced,
            head: Head::Cosine,
            init: Init::Default,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// Batches that are enough for a few hundred files: about a minute on two cores.
    const ENOUGH: usize = 400;
    /// A smaller set needs fewer: this many plus [`Self::PER_FILE`] for each file, up to [`Self::ENOUGH`].
    const BASE: usize = 40;
    const PER_FILE: f64 = 0.8;
    /// The smallest number of batches of [`Self::article`]: fewer learn nothing at all.
    const ARTICLE_STEPS: usize = 40;
    /// Passes over a set that is too large for [`Self::ENOUGH`] batches.
    const PASSES: usize = 2;

    /// A plain classifier trained for one epoch, and at least 40 batches, with a moving average of Keras'
    /// momentum: the settings with which eval mode goes wrong unnoticed (HarfangLab, "A concrete problem
    /// linked to batch normalization on reduced data sets").
    pub fn article(seed: u64) -> Self {
        let policy = BatchNormPolicy { statistics: StatisticsPolicy::Moving, ..BatchNormPolicy::default() };
        Self {
            epochs: Some(1.0),
            min_steps: Self::ARTICLE_STEPS,
            batch_norm: BatchNormPolicy { momentum: KERAS.momentum, ..policy },
            learning_rate: 3e-3,
            one_cycle: false,
            optimiser: Optimiser::Adam,
            sampling: Sampling::Shuffled,
            head: Head::Classifier,
            seed,
            ..Self::default()
        }
    }

    /// The number of batches for `files` files.
    pub fn steps(&self, files: usize) -> usize {
        let batch = self.batch_size.max(1);
        match self.epochs {
            Some(epochs) => {
                let steps = (epochs.max(0.0) * files as f64 / batch as f64).ceil() as usize;
                steps.max(self.min_steps).max(1)
            }
            None => {
                let small = Self::BASE + (Self::PER_FILE * files as f64) as usize;
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
        for files in [2, 33, 640, 5000] {
            let steps = TrainConfig::article(0).steps(files);
            assert_eq!(steps, files.div_ceil(64).max(40));
        }
    }
}
