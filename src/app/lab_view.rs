//! The choices and settings in the batch-norm lab. Plain data.

use crate::sample::Sha256;

/// The choices and settings in the lab.
#[derive(Clone, Debug)]
pub struct LabView {
    /// The part to scroll to, from 1.
    pub jump: Option<usize>,
    /// The part that was chosen last, from 1.
    pub part: usize,
    /// It was clicked, and the user has not scrolled since.
    pub going: bool,
    /// The repaired model that was chosen; `None` for the best.
    pub candidate: Option<Sha256>,
    /// The layer, from 0.
    pub layer: usize,
    /// The channel; `None` for the most harmful one.
    pub channel: Option<usize>,
    /// The file that is embedded in other batches; `None` for the first.
    pub file: Option<Sha256>,
    /// Momentum: the weight of a new batch.
    pub momentum: f64,
    /// Batches seen.
    pub batches: u64,
    /// Files in a batch.
    pub batch_size: u32,
    /// The convention that was chosen last.
    pub convention: Option<usize>,
    /// Learning rate of the experiment; `None` for the reference's.
    pub learning_rate: Option<f64>,
    /// Seeds of the experiment.
    pub seeds: u64,
    /// Largest step of the experiment; `None` for the reference's.
    pub steps: Option<usize>,
}

impl Default for LabView {
    fn default() -> Self {
        Self {
            jump: None,
            going: false,
            part: 1,
            candidate: None,
            layer: 0,
            channel: None,
            file: None,
            momentum: 0.1,
            batches: 40,
            batch_size: 64,
            convention: Some(0),
            learning_rate: None,
            seeds: 1,
            steps: None,
        }
    }
}
