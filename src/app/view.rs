//! The user's choices: those that are remembered from one start to the next, and those that are not.

use super::browser::Browser;
use super::dialog::Dialog;
use super::files_view::FilesView;
use super::focus::{Focus, Listed};
use super::lab_view::LabView;
use super::label_slots::KnownSlots;
use super::question::Question;
use super::selection::Selection;
use crate::model::{BatchNormPolicy, CONVENTIONS, Norm, PYTORCH, StatisticsPolicy};
use crate::sample::Sha256;
use crate::training::TrainConfig;
use crate::workflow::MapMethod;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A tab in the middle of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    /// All samples in two dimensions.
    #[default]
    Map,
    /// The dropped files as a table.
    Files,
    /// Settings and curves of a training.
    Training,
    /// The batch-norm lab.
    BatchNorm,
}

/// A side panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Dropped files and labels.
    Left,
    /// The selected file.
    Right,
}

/// The colours of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThemeChoice {
    /// Dark or light, as the system is.
    #[default]
    System,
    /// Always dark.
    Dark,
    /// Always light.
    Light,
}

impl ThemeChoice {
    /// The same for egui.
    pub fn preference(self) -> egui::ThemePreference {
        match self {
            Self::System => egui::ThemePreference::System,
            Self::Dark => egui::ThemePreference::Dark,
            Self::Light => egui::ThemePreference::Light,
        }
    }
}

/// Which sections are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sections {
    /// The pictures of the selected file.
    pub pictures: bool,
    /// Its facts.
    pub facts: bool,
    /// The header of its program.
    pub header: bool,
    /// The list of all samples.
    pub samples: bool,
    /// The legend of the map.
    pub legend: bool,
}

impl Default for Sections {
    fn default() -> Self {
        Self { pictures: true, facts: false, header: false, samples: false, legend: false }
    }
}

/// The side panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Panels {
    /// The panel of dropped files and labels is shown.
    pub left: bool,
    /// The panel of the selected file is shown.
    pub right: bool,
    /// Each is at the other side.
    pub swapped: bool,
}

impl Default for Panels {
    fn default() -> Self {
        Self { left: true, right: true, swapped: false }
    }
}

/// A training that has begun and not ended: what is needed to go on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupted {
    /// The labelled folder.
    pub folder: PathBuf,
    /// The library that it is for.
    pub library: PathBuf,
    /// As in [`Remembered`].
    pub epochs: u32,
    /// As in [`Remembered`].
    pub norm: Norm,
    /// As in [`Remembered`].
    pub statistics: StatisticsPolicy,
    /// As in [`Remembered`].
    pub convention: usize,
    /// As in [`Remembered`].
    pub seed: u64,
}

/// Libraries and folders listed as recent.
const RECENT: usize = 10;

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
    /// Whether the map is drawn as projected, not spread.
    pub exact_places: bool,
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
    /// The colours.
    pub theme: ThemeChoice,
    /// Which sections are open.
    pub sections: Sections,
    /// The side panels.
    pub panels: Panels,
    /// Libraries and labelled folders opened last, the latest first.
    pub recent: Vec<PathBuf>,
    /// The symbols of labels.
    pub slots: KnownSlots,
    /// The folder that the window's own browser showed last.
    pub browsed: Option<PathBuf>,
    /// The training that runs.
    pub interrupted: Option<Interrupted>,
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
            exact_places: false,
            epochs: 0,
            norm: Norm::Batch,
            statistics: StatisticsPolicy::Recompute,
            convention: 0,
            seed: 0,
            theme: ThemeChoice::System,
            sections: Sections::default(),
            panels: Panels::default(),
            recent: Vec::new(),
            slots: KnownSlots::default(),
            browsed: None,
            interrupted: None,
        }
    }
}

impl Remembered {
    /// Lists a library or a folder as opened last.
    pub fn opened(&mut self, path: &Path) {
        self.recent.retain(|known| known != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(RECENT);
    }

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

/// The search while it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchView {
    /// What was typed.
    pub text: String,
    /// The chosen entry.
    pub at: usize,
}

/// A model of the library that is not in use, as it is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The library that holds it.
    pub library: PathBuf,
    /// The model.
    pub model: Sha256,
    /// What it is, in words.
    pub what: String,
    /// Its measured figures, in words.
    pub figures: String,
    /// Its eval mode cannot be trusted.
    pub weak: bool,
    /// The samples of the library that it has not embedded.
    pub lacking: usize,
}

/// The user's choices.
#[derive(Default)]
pub struct View {
    /// The choices that are remembered.
    pub kept: Remembered,
    /// The filter of the list: part of a path, or the start of a SHA-256.
    pub filter: String,
    /// The only label in focus.
    pub focus: Option<Focus>,
    /// The samples that match the filter and the focus.
    pub listed: Listed,
    /// The sample marked on the map in addition to the selection.
    pub marked: Option<Selection>,
    /// Move the map in the next frame so that this sample is in view.
    pub centre_on: Option<Selection>,
    /// Show the whole map in the next frame.
    pub fit: bool,
    /// The open question.
    pub question: Option<Question>,
    /// The messages and the skipped files are expanded.
    pub messages_open: bool,
    /// The window's own file browser, while it is open.
    pub browser: Option<Browser>,
    /// The open dialog.
    pub dialog: Option<Dialog>,
    /// The search, while it is open.
    pub search: Option<SearchView>,
    /// Put the caret into the filter in the next frame.
    pub focus_filter: bool,
    /// A training that was interrupted and can go on.
    pub resume: Option<Interrupted>,
    /// A model that is offered for the library.
    pub offer: Option<Offer>,
    /// Zoom the map by this factor in the next frame.
    pub zoom: Option<f32>,
    /// The panel of files and labels is open over the map, in a small window.
    pub over_map: bool,
    /// The table of dropped files.
    pub files: FilesView,
    /// The samples that the last search found, which are marked on the map.
    pub hits: Vec<Sha256>,
    /// The choices and settings in the batch-norm lab.
    pub lab: LabView,
}
