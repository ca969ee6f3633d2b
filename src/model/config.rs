//! The configuration of a model: everything but its weights and statistics, stored as JSON in the metadata of
//! its safetensors file.

use super::calibration::Calibration;
use super::layer::Layer;
use crate::picture::{PLANE_SET, PictureSpec};
use serde::{Deserialize, Serialize};

/// The latest version of this configuration: 1, 2 with views, or 3 with layers of other kinds. A file with a later version is
/// refused.
pub(super) const CONFIG_VERSION: u32 = 3;

/// Whether the network normalises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// Batch normalisation after each convolution.
    #[default]
    Batch,
    /// Only a bias after each convolution.
    None,
}

/// Where the running statistics come from.
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

/// Which variance of a batch enters the running variance. The batch itself is always normalised by the biased
/// one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunningVariance {
    /// Divided by the count minus one.
    #[default]
    Unbiased,
    /// Divided by the count.
    Biased,
}

/// How batch normalisation is set up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNormPolicy {
    /// Where the running statistics come from.
    pub statistics: StatisticsPolicy,
    /// Weight of a new batch in the moving average, 0 to 1 (PyTorch's convention).
    pub momentum: f64,
    /// Added to the variance.
    pub epsilon: f64,
    /// Which variance enters the running variance.
    #[serde(default, rename = "kept_variance")]
    pub running_variance: RunningVariance,
}

impl Default for BatchNormPolicy {
    fn default() -> Self {
        Self {
            statistics: StatisticsPolicy::Recompute,
            momentum: 0.1,
            epsilon: 1e-5,
            running_variance: RunningVariance::Unbiased,
        }
    }
}

impl BatchNormPolicy {
    /// Weight of a new batch during training, or `None` for the plain average.
    pub fn weight(&self) -> Option<f64> {
        match self.statistics {
            StatisticsPolicy::Average => None,
            StatisticsPolicy::Moving | StatisticsPolicy::Recompute => Some(self.momentum),
        }
    }
}

/// The layers after the convolutions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// Pooling to 4×4, a linear layer, unit length, and one prototype per label: cosine softmax.
    #[default]
    Cosine,
    /// Global average pooling, a linear layer, and a linear classifier: plain softmax. What most tutorials
    /// train, and what the batch-norm experiments use.
    Classifier,
    /// Average pooling to 2×2 parts, which overlap if the side is odd, unit length, a linear layer and unit length again. It is not
    /// trained by us: the base model for images has it.
    Grid,
}

impl Head {
    /// Rows and columns of the activations after pooling.
    pub(super) fn pooled(self) -> usize {
        match self {
            Self::Cosine => 4,
            Self::Classifier => 1,
            Self::Grid => 2,
        }
    }
}

/// How a model file stores weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredWeights {
    /// As they are.
    #[default]
    F32,
    /// Those of convolutions and of the linear layer as whole numbers from −127 to 127 times a scale for each output channel.
    Int8,
}

impl StoredWeights {
    fn is_f32(&self) -> bool {
        *self == Self::F32
    }
}

/// How weights are initialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Init {
    /// Uniform within 1/√(inputs): PyTorch's default.
    #[default]
    Default,
    /// Uniform within √(6/inputs): He et al. (2015), for rectifiers. The fair comparison for a network
    /// without batch normalisation.
    He,
}

/// What the running statistics are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatisticsSource {
    /// Pooled over a set of files, with the weights frozen.
    Recomputed,
    /// A moving average over the training's batches.
    Moving {
        /// Weight of a new batch.
        momentum: f64,
    },
    /// A moving average without the initial value's share.
    #[serde(rename = "withoutstart")]
    Debiased {
        /// Weight of a new batch.
        momentum: f64,
    },
    /// The plain average over the training's batches.
    Average,
}

/// One change of a finished model's running statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepairRecord {
    /// What the statistics are since then.
    pub source: StatisticsSource,
    /// What was done, as text.
    pub what: String,
    /// Files used for it.
    pub files: usize,
    /// SHA-256 of the model before.
    pub from: String,
    /// Eval-mode accuracy on those files before, 0 to 1; `None` if the model knows none of their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_mode_accuracy_before: Option<f64>,
    /// The same after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_mode_accuracy_after: Option<f64>,
}

/// One measured point of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Passes over the training set so far; may be a fraction.
    pub epoch: f64,
    /// Batches so far.
    pub step: usize,
    /// Mean loss since the point before.
    pub loss: f64,
    /// Share of training files classified correctly in train mode, 0 to 1.
    pub train_mode_accuracy: f64,
    /// The same with the same files and weights in eval mode.
    pub eval_mode_accuracy: f64,
    /// Share of held-out files whose nearest training file has their label; `None` without held-out files.
    pub recall_at_1: Option<f64>,
    /// Seconds since the training began.
    pub seconds: f64,
}

/// Training files on which train mode and eval mode are compared during a training, at most.
pub const COMPARED: usize = 256;

/// A summary of a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// Seed of all randomness.
    pub seed: u64,
    /// Files trained on.
    pub files: usize,
    /// Files held out to measure recall.
    #[serde(rename = "held_back")]
    pub held_out: usize,
    /// Files per batch.
    pub batch_size: usize,
    /// Batches trained.
    pub steps: usize,
    /// Whether it was cancelled; the model is then the best until then.
    pub cancelled: bool,
    /// The cosine distance from its nearest training file that 1 % of the held-out files exceed; `None` if it is not known,
    /// as with too few of them.
    #[serde(default)]
    pub unlike_above: Option<f32>,
    /// The layer shift that 1 % of the held-out files exceed; `None` without batch norm, or with too few of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_above: Option<f32>,
    /// Held-out files that the probability is calibrated on; `None` if it is not calibrated on any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrated_on: Option<usize>,
    /// The measured points.
    pub history: Vec<Epoch>,
    /// Measured on the finished model.
    pub result: Epoch,
}

impl TrainingSummary {
    /// The number of training files that the accuracies in its points and its result were measured on.
    pub fn compared(&self) -> usize {
        self.files.min(COMPARED)
    }

    /// "the training files", or "256 of the 1294 training files" where not all were measured.
    pub fn compared_text(&self) -> String {
        match self.compared() {
            some if some < self.files => format!("{some} of the {} training files", self.files),
            _ => "the training files".to_owned(),
        }
    }
}

/// Everything of a model but its weights and statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// The configuration version of the program that wrote it.
    pub version: u32,
    /// How its pictures are computed.
    pub picture: PictureSpec,
    /// The [`PLANE_SET`] of its pictures; 1 in files from before it was stored.
    #[serde(default = "first_plane_set")]
    pub plane_set: u32,
    /// Filters and stride of each 3×3 convolution.
    pub convolutions: Vec<(usize, usize)>,
    /// The layers of a network that has others than these; then `convolutions` is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// How the file stores the weights.
    #[serde(default, skip_serializing_if = "StoredWeights::is_f32")]
    pub stored_weights: StoredWeights,
    /// Length of an embedding.
    pub embedding: usize,
    /// The layers after the convolutions.
    #[serde(default)]
    pub head: Head,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// How batch normalisation is set up.
    pub batch_norm: BatchNormPolicy,
    /// The changes of its running statistics since training, oldest first.
    #[serde(default)]
    pub repairs: Vec<RepairRecord>,
    /// The labels it was trained on, in the order of its prototypes.
    pub labels: Vec<String>,
    /// A summary of its training.
    pub training: TrainingSummary,
    /// How the cosines of its views become a probability; `None` without views.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// The same for cosines that were whitened by the labels of a library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_with_labels: Option<Calibration>,
}

/// The plane set of model files that do not name one.
pub(super) fn first_plane_set() -> u32 {
    1
}

impl ModelConfig {
    /// All layers of the network, one behind the other.
    pub(crate) fn all_layers(&self) -> Vec<Layer> {
        let plain = self.convolutions.iter().copied().map(Layer::plain);
        plain.chain(self.layers.iter().copied()).collect()
    }

    /// What the running statistics are now.
    pub(crate) fn source(&self) -> StatisticsSource {
        match (self.repairs.last(), self.batch_norm.statistics) {
            (Some(repair), _) => repair.source,
            (None, StatisticsPolicy::Recompute) => StatisticsSource::Recomputed,
            (None, StatisticsPolicy::Moving) => {
                StatisticsSource::Moving { momentum: self.batch_norm.momentum }
            }
            (None, StatisticsPolicy::Average) => StatisticsSource::Average,
        }
    }

    /// The default network for these pictures and labels.
    pub fn new(picture: PictureSpec, labels: Vec<String>) -> Self {
        Self {
            version: 1,
            picture,
            plane_set: PLANE_SET,
            convolutions: vec![(32, 2), (64, 2), (128, 2), (128, 1)],
            layers: Vec::new(),
            stored_weights: StoredWeights::F32,
            embedding: 64,
            head: Head::Cosine,
            norm: Norm::Batch,
            batch_norm: BatchNormPolicy::default(),
            repairs: Vec::new(),
            labels,
            training: TrainingSummary::default(),
            calibration: None,
            calibration_with_labels: None,
        }
    }
}
