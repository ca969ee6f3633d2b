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

/// Which variance of a batch is kept. The one that normalises is always the biased one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeptVariance {
    /// Divided by the count less one.
    #[default]
    Unbiased,
    /// Divided by the count.
    Biased,
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
    /// Which variance is kept.
    #[serde(default)]
    pub kept_variance: KeptVariance,
}

impl Default for BatchNormPolicy {
    fn default() -> Self {
        Self {
            statistics: StatisticsPolicy::Recompute,
            momentum: 0.1,
            epsilon: 1e-5,
            kept_variance: KeptVariance::Unbiased,
        }
    }
}

impl BatchNormPolicy {
    /// Weight of a new batch, or `None` for the plain average, while training.
    pub fn weight(&self) -> Option<f64> {
        match self.statistics {
            StatisticsPolicy::Average => None,
            StatisticsPolicy::Moving | StatisticsPolicy::Recompute => Some(self.momentum),
        }
    }
}

/// What stands behind the convolutions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// Pooling to 4×4, a linear layer, unit length, and a prototype a label: cosine softmax.
    #[default]
    Cosine,
    /// Global average pooling, a linear layer, and a linear classifier: plain softmax. What most
    /// tutorials train, and what the experiments of the lab are made with.
    Classifier,
}

/// How weights begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Init {
    /// Uniform within 1/√(inputs): PyTorch's default.
    #[default]
    Default,
    /// Uniform within √(6/inputs): He et al. (2015), made for rectifiers. Without batch
    /// normalisation it is what makes a fair comparison.
    He,
}

/// What the kept statistics are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatisticsSource {
    /// Over a set of files, with the weights frozen.
    Recomputed,
    /// A moving average over the training's batches.
    Moving {
        /// Weight of a new batch.
        momentum: f64,
    },
    /// The same with the initial 0 and 1 taken out.
    WithoutStart {
        /// Weight of a new batch.
        momentum: f64,
    },
    /// The plain average over the training's batches.
    Average,
}

/// What was done to a finished model's statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepairRecord {
    /// What the statistics are since.
    pub source: StatisticsSource,
    /// What was done, for people.
    pub what: String,
    /// Files it was done with.
    pub files: usize,
    /// SHA-256 of the model it was done to.
    pub from: String,
    /// Eval-mode accuracy on those files before, 0 to 1.
    pub eval_mode_accuracy_before: f64,
    /// And after.
    pub eval_mode_accuracy_after: f64,
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
    /// What stands behind the convolutions.
    #[serde(default)]
    pub head: Head,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// How that was set up.
    pub batch_norm: BatchNormPolicy,
    /// What was done to its statistics since, oldest first.
    #[serde(default)]
    pub repairs: Vec<RepairRecord>,
    /// The labels it was trained on, in the order of its prototypes.
    pub labels: Vec<String>,
    /// What is remembered of the training.
    pub training: TrainingSummary,
}

impl ModelConfig {
    /// What the kept statistics are now.
    pub fn source(&self) -> StatisticsSource {
        match (self.repairs.last(), self.batch_norm.statistics) {
            (Some(repair), _) => repair.source,
            (None, StatisticsPolicy::Recompute) => StatisticsSource::Recomputed,
            (None, StatisticsPolicy::Moving) => {
                StatisticsSource::Moving { momentum: self.batch_norm.momentum }
            }
            (None, StatisticsPolicy::Average) => StatisticsSource::Average,
        }
    }

    /// The default network for `labels` shown as `picture`.
    pub fn new(picture: PictureSpec, labels: Vec<String>) -> Self {
        Self {
            version: CONFIG_VERSION,
            picture,
            convolutions: vec![(32, 2), (64, 2), (128, 2), (128, 1)],
            embedding: 64,
            head: Head::Cosine,
            norm: Norm::Batch,
            batch_norm: BatchNormPolicy::default(),
            repairs: Vec::new(),
            labels,
            training: TrainingSummary::default(),
        }
    }
}
