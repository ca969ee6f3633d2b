//! Training: from labelled pictures to a model.
//!
//! A tenth of the files is held back to measure recall. The rest is drawn label by label, so that
//! a rare label counts as much as a frequent one, shown in random views, and pulled towards the
//! prototype of its label ([`objective`]). At the end the batch-norm statistics are recomputed with
//! the weights frozen, unless the user wants another policy.

mod adamw;
mod checkpoint;
mod labelled;
mod measure;
mod run;
mod sampler;
mod schedule;
mod sgd;
mod split;
mod trainer;

pub use adamw::AdamW;
pub use labelled::Labelled;
pub use measure::{Measured, recall_at_1};
pub use run::{Trained, train, train_on, train_resumable};
pub use split::{Split, split};
pub use trainer::{Trainer, model_config};

use crate::model::{BatchNormPolicy, Head, Init, KERAS, Norm, StatisticsPolicy};

/// How weights follow their gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimiser {
    /// AdamW with weight decay 0.01.
    AdamW,
    /// The same without decay.
    Adam,
    /// Stochastic gradient descent with momentum 0.9.
    Sgd,
}

/// Which files a batch is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Each label as likely, in random views.
    Balanced,
    /// All files in random order, as they are, again and again: what most tutorials do.
    Shuffled,
}

/// What the user may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainConfig {
    /// Passes over the training set; `None` for as many as [`Self::steps`] finds enough.
    pub epochs: Option<f64>,
    /// Batches at least, where `epochs` says how many.
    pub least_steps: usize,
    /// Files to a batch, at least 2.
    pub batch_size: usize,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// How its statistics are kept.
    pub batch_norm: BatchNormPolicy,
    /// Highest learning rate of the cycle.
    pub learning_rate: f64,
    /// Whether the learning rate goes up and down; else it stays.
    pub one_cycle: bool,
    /// How weights follow their gradients.
    pub optimiser: Optimiser,
    /// Which files a batch is made of.
    pub sampling: Sampling,
    /// What stands behind the convolutions.
    pub head: Head,
    /// How weights begin.
    pub init: Init,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: None,
            least_steps: 1,
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
    /// Batches that suffice for sets of some hundred files: about a minute on two cores.
    const ENOUGH: usize = 400;
    /// A smaller set needs fewer: this many, and [`Self::BY_FILE`] for each file, up to [`Self::ENOUGH`].
    const LEAST: usize = 40;
    const BY_FILE: f64 = 0.8;
    /// Batches of [`Self::as_in_the_article`], at least: fewer learn nothing at all.
    const ARTICLE: usize = 40;
    /// Passes over a set too large for [`Self::ENOUGH`] batches to see all of it.
    const PASSES: usize = 2;

    /// A plain classifier trained for one epoch, and for forty batches at least, whose moving average
    /// has Keras' momentum: the set-up in which eval mode goes wrong unnoticed (HarfangLab, "A concrete
    /// problem linked to batch normalization on reduced data sets").
    pub fn as_in_the_article(seed: u64) -> Self {
        let policy = BatchNormPolicy { statistics: StatisticsPolicy::Moving, ..BatchNormPolicy::default() };
        Self {
            epochs: Some(1.0),
            least_steps: Self::ARTICLE,
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

    /// Batches to train on `files` files.
    pub fn steps(&self, files: usize) -> usize {
        let batch = self.batch_size.max(1);
        match self.epochs {
            Some(epochs) => {
                let steps = (epochs.max(0.0) * files as f64 / batch as f64).ceil() as usize;
                steps.max(self.least_steps).max(1)
            }
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
        for files in [2, 33, 640, 5000] {
            let steps = TrainConfig::as_in_the_article(0).steps(files);
            assert_eq!(steps, files.div_ceil(64).max(40));
        }
    }
}
