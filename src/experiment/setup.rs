//! The settings of an experiment: what is trained, and when it is measured.

use crate::model::{BatchNormPolicy, Head, Init, Norm, StatisticsPolicy};
use crate::picture::{PictureKind, PictureSpec};
use crate::training::{Optimiser, Sampling, TrainConfig};

/// Where the running statistics of one row come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// The moving average with this momentum.
    Moving(f64),
    /// The plain average since the first step.
    Average,
    /// There is no batch normalisation.
    NoBatchNorm(Init),
}

impl Policy {
    /// Its name in tables.
    pub fn text(self) -> String {
        match self {
            Self::Moving(m) => format!("moving average m={m}"),
            Self::Average => "average since the first step".into(),
            Self::NoBatchNorm(Init::Default) => "no batch norm".into(),
            Self::NoBatchNorm(Init::He) => "no batch norm (He init)".into(),
        }
    }
}

/// The settings of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The steps after which it is measured, ascending.
    pub steps: Vec<usize>,
    /// The policies compared at each step.
    pub policies: Vec<Policy>,
    /// The seeds, one training each; the result is their mean.
    pub seeds: Vec<u64>,
    /// Files drawn from the folder by the seed; `None` for all.
    pub files: Option<usize>,
    /// Files per batch.
    pub batch_size: usize,
    /// The constant learning rate.
    pub learning_rate: f64,
    /// The optimiser.
    pub optimiser: Optimiser,
    /// Filters and stride of each convolution.
    pub convolutions: Vec<(usize, usize)>,
}

impl Setup {
    /// The settings of the reference: for images 640 files, batches of 64, SGD with rate 0.05; for
    /// executables all files, batches of 128, Adam with rate 0.003.
    pub fn reference(spec: PictureSpec) -> Self {
        let policies = vec![
            Policy::Moving(0.1),
            Policy::Moving(0.01),
            Policy::Average,
            Policy::NoBatchNorm(Init::Default),
            Policy::NoBatchNorm(Init::He),
        ];
        let small = spec.kind == PictureKind::Image;
        Self {
            steps: if small { vec![1, 2, 5, 10, 20, 50, 100, 200] } else { vec![10, 20, 40, 80, 117] },
            policies,
            seeds: vec![0],
            files: small.then_some(640),
            batch_size: if small { 64 } else { 128 },
            learning_rate: if small { 0.05 } else { 3e-3 },
            optimiser: if small { Optimiser::Sgd } else { Optimiser::Adam },
            convolutions: match spec.side {
                // Pictures this small are not reduced: every stride is 1.
                ..=8 => vec![(32, 1), (64, 1), (64, 1), (128, 1)],
                _ => vec![(32, 2), (64, 2), (128, 2), (128, 1)],
            },
        }
    }

    /// The settings of one of its trainings.
    pub(super) fn training(&self, norm: Norm, init: Init, seed: u64) -> TrainConfig {
        TrainConfig {
            epochs: None,
            min_steps: 1,
            batch_size: self.batch_size,
            norm,
            batch_norm: BatchNormPolicy {
                statistics: StatisticsPolicy::Moving,
                ..BatchNormPolicy::default()
            },
            learning_rate: self.learning_rate,
            one_cycle: false,
            optimiser: self.optimiser,
            sampling: Sampling::Shuffled,
            head: Head::Classifier,
            init,
            seed,
        }
    }
}
