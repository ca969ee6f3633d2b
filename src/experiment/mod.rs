//! The experiment: with and without batch normalisation, train mode against eval mode, by the step of
//! the training, on the analyst's own files.
//!
//! A plain classifier is trained as most tutorials do it ([`Setup`]). Train mode never reads what a
//! layer keeps, so one run with batch normalisation answers for every momentum and for the plain
//! average at once: they are replayed from its trace.

mod chart;
mod run;
mod table;

pub use chart::{Chart, ChartLine, Format, drawn};
pub use run::run;
pub use table::{experiment_csv, mean_over_seeds};

use crate::model::{BatchNormPolicy, Head, Init, Norm, StatisticsPolicy};
use crate::picture::{PictureKind, PictureSpec};
use crate::training::{Optimiser, Sampling, TrainConfig};

/// What eval mode goes by in one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// The moving average with this momentum.
    Moving(f64),
    /// The plain average since the first step.
    Average,
    /// There is no batch normalisation.
    Without(Init),
}

impl Policy {
    /// Its name in tables.
    pub fn text(self) -> String {
        match self {
            Self::Moving(m) => format!("moving average m={m}"),
            Self::Average => "average since the first step".into(),
            Self::Without(Init::Default) => "no batch norm".into(),
            Self::Without(Init::He) => "no batch norm (He init)".into(),
        }
    }
}

/// What is trained, and where it is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// Steps after which it is measured, ascending.
    pub steps: Vec<usize>,
    /// The rows of each of them.
    pub policies: Vec<Policy>,
    /// One training each; what is told is the mean.
    pub seeds: Vec<u64>,
    /// Files drawn from the folder, by the seed; `None` for all.
    pub files: Option<usize>,
    /// Files to a batch.
    pub batch_size: usize,
    /// The learning rate, the same at every step.
    pub learning_rate: f64,
    /// How weights follow their gradients.
    pub optimiser: Optimiser,
    /// Filters and stride of each convolution.
    pub convolutions: Vec<(usize, usize)>,
}

impl Setup {
    /// As the reference was made: for images 640 files, batches of 64, SGD with rate 0.05; for
    /// executables all files, batches of 128, Adam with rate 0.003.
    pub fn reference(spec: PictureSpec) -> Self {
        let policies = vec![
            Policy::Moving(0.1),
            Policy::Moving(0.01),
            Policy::Average,
            Policy::Without(Init::Default),
            Policy::Without(Init::He),
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
                // Nothing to spare: every layer sees all of a picture this small.
                ..=8 => vec![(32, 1), (64, 1), (64, 1), (128, 1)],
                _ => vec![(32, 2), (64, 2), (128, 2), (128, 1)],
            },
        }
    }

    fn training(&self, norm: Norm, init: Init, seed: u64) -> TrainConfig {
        TrainConfig {
            epochs: None,
            least_steps: 1,
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

/// How well a network did under one policy after some steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What eval mode went by.
    pub policy: Policy,
    /// Steps done.
    pub step: usize,
    /// In train mode, in eval mode, and in eval mode with recomputed statistics.
    pub modes: [Figures; 3],
    /// Mean distance of each batch-norm layer's kept statistics from the true ones.
    pub layer_distances: Vec<f64>,
}

/// How well it did in one mode.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Share of the training files put to their label.
    pub accuracy: f64,
    /// Mean loss.
    pub loss: f64,
    /// Share of the files whose nearest other file has their label.
    pub recall_at_1: f64,
}
