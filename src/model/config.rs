//! What a model is, apart from its weights: kept as JSON in the metadata of its safetensors file.

use crate::picture::PictureSpec;
use serde::{Deserialize, Serialize};

/// Version of this configuration. A file of a later version is refused.
pub const CONFIG_VERSION: u32 = 1;

/// Whether the network normalises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// Batch normalisation behind each convolution.
    #[default]
    Batch,
    /// A bias instead.
    None,
}

/// Where the statistics for eval mode come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatisticsPolicy {
    /// Recomputed over the training set after training, with the weights frozen.
    #[default]
    Recompute,
    /// A moving average over the batches of the training.
    Moving,
    /// The plain average over all batches of the training.
    Average,
}

/// How batch normalisation was set up, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNormPolicy {
    /// Where the kept statistics come from.
    pub statistics: StatisticsPolicy,
    /// Weight of a new batch in the moving average, 0 to 1 (PyTorch's convention).
    pub momentum: f64,
    /// Added to the variance.
    pub epsilon: f64,
}

impl Default for BatchNormPolicy {
    fn default() -> Self {
        Self { statistics: StatisticsPolicy::Recompute, momentum: 0.1, epsilon: 1e-5 }
    }
}

/// One measured point of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Passes over the training set, possibly a part of one.
    pub epoch: f64,
    /// Batches so far.
    pub step: usize,
    /// Mean loss since the last point.
    pub loss: f64,
    /// Share of training files put to their label in train mode, 0 to 1.
    pub train_mode_accuracy: f64,
    /// The same files, weights and labels in eval mode.
    pub eval_mode_accuracy: f64,
    /// Share of held-back files whose nearest training file has their label; absent without any.
    pub recall_at_1: Option<f64>,
    /// Since the training began.
    pub seconds: f64,
}

/// What is remembered of a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// Seed of all randomness.
    pub seed: u64,
    /// Files trained on.
    pub files: usize,
    /// Files held back to measure recall.
    pub held_back: usize,
    /// Files to a batch.
    pub batch_size: usize,
    /// Batches trained.
    pub steps: usize,
    /// Whether it was cancelled and this is the best until then.
    pub cancelled: bool,
    /// The curve.
    pub history: Vec<Epoch>,
    /// Measured on the finished model.
    pub result: Epoch,
}

/// All of a model but its weights and statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// [`CONFIG_VERSION`] of whoever wrote it.
    pub version: u32,
    /// How the pictures it reads are made.
    pub picture: PictureSpec,
    /// Filters and stride of each 3×3 convolution.
    pub convolutions: Vec<(usize, usize)>,
    /// Length of the vector it gives.
    pub embedding: usize,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// How that was set up.
    pub batch_norm: BatchNormPolicy,
    /// The labels it was trained on, in the order of its prototypes.
    pub labels: Vec<String>,
    /// What is remembered of the training.
    pub training: TrainingSummary,
}

impl ModelConfig {
    /// The default network for `labels` shown as `picture`.
    pub fn new(picture: PictureSpec, labels: Vec<String>) -> Self {
        Self {
            version: CONFIG_VERSION,
            picture,
            convolutions: vec![(32, 2), (64, 2), (128, 2), (128, 1)],
            embedding: 64,
            norm: Norm::Batch,
            batch_norm: BatchNormPolicy::default(),
            labels,
            training: TrainingSummary::default(),
        }
    }
}
