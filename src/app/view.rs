//! The user's choices: those that are remembered from one start to the next, and those that are not.

use super::focus::{Focus, Listed};
use super::lab_view::LabView;
use super::question::Question;
use super::selection::Selection;
use crate::model::{BatchNormPolicy, CONVENTIONS, Norm, PYTORCH, StatisticsPolicy};
use crate::training::TrainConfig;
use crate::workflow::MapMethod;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A tab in the middle of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    /// All samples in two dimensions.
    #[default]
    Map,
    /// Settings and curves of a training.
    Training,
    /// The batch-norm lab.
    BatchNorm,
}

/// The choices that are remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The library that was open.
    pub library: Option<PathBuf>,
    /// Number of neighbours listed.
    pub k: usize,
    /// The chosen tab.
    pub tab: Tab,
    /// Whether archives that are appended to programs are opened.
    pub unpack_appended: bool,
    /// How the map is computed.
    #[serde(alias = "layout")]
    pub map_method: MapMethod,
    /// Whether labels are named on the map.
    pub names: bool,
    /// Passes over the training files; 0 for as many as the folder needs.
    pub epochs: u32,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// Where the running statistics come from.
    pub statistics: StatisticsPolicy,
    /// The framework whose momentum, epsilon and variance are used: a position in [`CONVENTIONS`].
    pub convention: usize,
    /// The seed of all random numbers.
    pub seed: u64,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            library: None,
            k: 10,
            tab: Tab::Map,
            unpack_appended: false,
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

/// The user's choices.
#[derive(Default)]
pub struct View {
    /// The choices that are remembered.
    pub kept: Remembered,
    /// The text of the path field.
    pub path: String,
    /// The filter of the list: part of a path, or the start of a SHA-256.
    pub filter: String,
    /// The only label in focus.
    pub focus: Option<Focus>,
    /// The samples that match the filter and the focus.
    pub listed: Listed,
    /// The sample marked on the map in addition to the selection.
    pub marked: Option<Selection>,
    /// Move the map in the next frame so that this place is in view.
    pub centre_on: Option<[f32; 2]>,
    /// Show the whole map in the next frame.
    pub fit: bool,
    /// The open question.
    pub question: Option<Question>,
    /// The messages and the skipped files are expanded.
    pub messages_open: bool,
    /// The list of keyboard shortcuts is open.
    pub keys_open: bool,
    /// The choices and settings in the batch-norm lab.
    pub lab: LabView,
}
