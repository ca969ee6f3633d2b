//! The facts of the batch-norm lab that decide whether a command is available. Plain data.

use crate::model::Model;
use std::sync::Arc;

/// The results and the running jobs of the lab.
#[derive(Clone, Default)]
pub struct LabFacts {
    /// The model in the lab.
    pub model: Option<Arc<Model>>,
    /// It was measured on the open folder.
    pub measured: bool,
    /// It is being measured.
    pub measuring: bool,
    /// A file is being embedded in other batches.
    pub embedding: bool,
    /// A repaired model is being made or taken into use.
    pub repairing: bool,
    /// The experiment is running.
    pub experimenting: bool,
    /// A model is being trained as in the article, for the lab only.
    pub trying: bool,
    /// The model in the lab was trained there, and is in no library.
    pub trial: bool,
    /// The number of labels of the folder in the lab, if there is one.
    pub folder_labels: Option<usize>,
    /// The folder in the lab is not the one that is open.
    pub foreign: bool,
    /// The experiment has rows.
    pub rows: bool,
    /// There is a previous model to return to.
    pub previous: bool,
}

impl LabFacts {
    /// Why the folder in the lab cannot be trained on.
    pub fn folder_obstacle(&self) -> Option<&'static str> {
        match self.folder_labels {
            None => Some("Open a labelled folder first"),
            Some(0..2) => Some("The folder needs at least two labels"),
            Some(_) => None,
        }
    }
}
