//! How the user looks at what is open: what the window remembers from one start to the next, and what it
//! forgets.

use super::focus::{Focus, Listed};
use super::lab_view::LabView;
use super::question::Question;
use super::selection::Selection;
use crate::model::{BatchNormPolicy, CONVENTIONS, Norm, PYTORCH, StatisticsPolicy};
use crate::training::TrainConfig;
use crate::workflow::MapMethod;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the middle of the window shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    /// All samples in two dimensions.
    #[default]
    Map,
    /// Settings and curves of a training.
    Training,
    /// Train mode against eval mode.
    BatchNorm,
}

/// What is remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The library that was open.
    pub library: Option<PathBuf>,
    /// Number of neighbours listed.
    pub k: usize,
    /// What the middle shows.
    pub tab: Tab,
    /// How the map is computed.
    #[serde(alias = "layout")]
    pub map_method: MapMethod,
    /// Whether labels are named on the map.
    pub names: bool,
    /// Passes over the training set; 0 for as many as the set needs.
    pub epochs: u32,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// Where its statistics come from.
    pub statistics: StatisticsPolicy,
    /// The framework whose momentum, epsilon and variance are used: a position in [`CONVENTIONS`].
    pub convention: usize,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            library: None,
            k: 10,
            tab: Tab::Map,
            map_method: MapMethod::Umap,
            names: true,
            epochs: 0,
            norm: Norm::Batch,
            statistics: StatisticsPolicy::Recompute,
            convention: 0,
            seed: 0,
        }
    }
}

impl Remembered {
    /// The settings of a training.
    pub fn train_config(&self) -> TrainConfig {
        let policy = BatchNormPolicy { statistics: self.statistics, ..BatchNormPolicy::default() };
        let convention = CONVENTIONS.get(self.convention).unwrap_or(&PYTORCH);
        TrainConfig {
            epochs: (self.epochs > 0).then_some(f64::from(self.epochs)),
            norm: self.norm,
            batch_norm: convention.apply(policy),
            seed: self.seed,
            ..TrainConfig::default()
        }
    }
}

/// How the user looks at it now.
#[derive(Default)]
pub struct View {
    /// What is remembered.
    pub kept: Remembered,
    /// The path field.
    pub path: String,
    /// Only samples whose path contains this are listed.
    pub filter: String,
    /// The only label in focus.
    pub focus: Option<Focus>,
    /// The samples that the filter and the focus leave.
    pub listed: Listed,
    /// The sample that is marked on the map in addition to the selection.
    pub marked: Option<Selection>,
    /// Move the map so that this place is in view.
    pub centre_on: Option<[f32; 2]>,
    /// Show the whole map.
    pub fit: bool,
    /// The open question.
    pub question: Option<Question>,
    /// Messages and skipped files are unfolded.
    pub messages_open: bool,
    /// The list of keys is open.
    pub keys_open: bool,
    /// How the batch-norm lab is looked at.
    pub lab: LabView,
}
