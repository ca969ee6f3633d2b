//! The facts that decide whether a command is available, gathered once a frame. Plain data.

use super::edit_queue::WindowEdit;
use super::lab_facts::LabFacts;

/// The state of the window, as far as commands depend on it.
#[derive(Clone, Default)]
pub struct Facts {
    /// The number of labels of the open folder, if one is open.
    pub folder_labels: Option<usize>,
    /// The library has a model.
    pub model: bool,
    /// The library has samples.
    pub samples: bool,
    /// The library has a map.
    pub map: bool,
    /// Its samples can be read again with the base model, which sees more of them.
    pub can_gain: bool,
    /// The library can only be read.
    pub read_only: bool,
    /// The library is a team's.
    pub shared: bool,
    /// A copy of it is kept on this machine.
    pub copy_kept: bool,
    /// It answers from that copy.
    pub from_copy: bool,
    /// A file is selected: a dropped one or a sample.
    pub selected: bool,
    /// A dropped file is selected.
    pub selected_dropped: bool,
    /// The number of dropped files.
    pub dropped: usize,
    /// Neighbours are listed.
    pub neighbours: bool,
    /// What undo takes back.
    pub undo: Option<WindowEdit>,
    /// What redo does again, in a phrase.
    pub redo: Option<String>,
    /// Edits wait to be written.
    pub editing: bool,
    /// A library is open.
    pub library: bool,
    /// A label is in focus.
    pub focus: bool,
    /// A sample of the library is selected.
    pub selected_sample: bool,
    /// A question is open.
    pub question: bool,
    /// A job that is shown is running.
    pub busy: bool,
    /// A training is running.
    pub training: bool,
    /// The facts of the batch-norm lab.
    pub lab: LabFacts,
}

impl Facts {
    /// Why the library cannot be changed.
    pub fn write_obstacle(&self) -> Option<&'static str> {
        self.read_only.then_some("The library can only be read")
    }

    /// Why the open folder cannot be trained on.
    pub fn training_obstacle(&self) -> Option<&'static str> {
        if self.training {
            return Some("A training is running");
        }
        match self.folder_labels {
            None => Some("Open a labelled folder first"),
            Some(0..2) => Some("The folder needs at least two labels"),
            Some(_) => None,
        }
    }
}
