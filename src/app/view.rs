//! How the user looks at it: what the window remembers from one start to the next, and what it
//! forgets.

use super::lab::LabView;
use super::session::Selection;
use crate::model::{BatchNormPolicy, CONVENTIONS, Norm, PYTORCH, StatisticsPolicy};
use crate::training::TrainConfig;
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

/// How the map is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Neighbours stay together.
    #[default]
    Umap,
    /// At once.
    Pca,
}

/// What a file is about to be written for, or a library opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The neighbour table.
    Neighbours,
    /// All samples.
    Samples,
    /// The map.
    Map,
    /// The model.
    Model,
    /// Another library.
    Library,
    /// A model to load.
    LoadModel,
    /// A password of archives.
    Password,
    /// A label for the sample of this row.
    Label(usize),
    /// A repaired model.
    Candidate(usize),
    /// The table of the experiment.
    ExperimentTable,
    /// The chart of the experiment.
    ExperimentChart,
}

/// A question for a path, open in the middle of the window.
#[derive(Clone, Debug)]
pub struct PathQuestion {
    /// What for.
    pub ask: Ask,
    /// What was typed or chosen.
    pub path: String,
}

/// What is remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The library that was open.
    pub library: Option<PathBuf>,
    /// Neighbours to list.
    pub k: usize,
    /// What the middle shows.
    pub tab: Tab,
    /// How the map is laid out.
    pub layout: Layout,
    /// Whether labels are named on the map.
    pub names: bool,
    /// Passes over the training set; 0 for enough.
    pub epochs: u32,
    /// With or without batch normalisation.
    pub norm: Norm,
    /// Where its statistics come from.
    pub statistics: StatisticsPolicy,
    /// Momentum, epsilon and variance as which framework has them: a place in [`CONVENTIONS`].
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
            layout: Layout::Umap,
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
    /// The training that these settings mean.
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

/// Rows of the library that a filter left, and what it was.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// The filter, the label in focus, and the edition of the contents.
    pub by: (String, Option<usize>, u64),
    /// The rows.
    pub rows: Vec<usize>,
}

/// How the user looks at it now.
#[derive(Default)]
pub struct View {
    /// What is remembered.
    pub kept: Remembered,
    /// The path field.
    pub path: String,
    /// Only samples whose name holds this are listed.
    pub filter: String,
    /// Only this label is in focus.
    pub only_label: Option<usize>,
    /// The samples that the filter leaves, until it or the library changes.
    pub listed: Listed,
    /// What is marked on the map besides the selection.
    pub marked: Option<Selection>,
    /// The map is to show this place in its middle.
    pub centre_on: Option<[f32; 2]>,
    /// The map is to show everything.
    pub fit: bool,
    /// A question for a path.
    pub question: Option<PathQuestion>,
    /// Messages and files left out are unfolded.
    pub messages_open: bool,
    /// How the batch-norm lab is looked at.
    pub lab: LabView,
}
