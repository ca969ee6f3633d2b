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
    /// The experiment has rows.
    pub rows: bool,
    /// There is a previous model to return to.
    pub previous: bool,
}
