//! The rows of an experiment's result.

use super::setup::Policy;

/// The figures of a network under one policy after some steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where the running statistics come from.
    pub policy: Policy,
    /// Steps trained.
    pub step: usize,
    /// In train mode, in eval mode, and in eval mode with recomputed statistics.
    pub modes: [Figures; 3],
    /// Mean distance of each batch-norm layer's running statistics from the pooled ones.
    pub layer_distances: Vec<f64>,
}

/// The figures of one mode.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Share of the training files classified correctly.
    pub accuracy: f64,
    /// Mean loss.
    pub loss: f64,
    /// Share of the files whose nearest other file has their label.
    pub recall_at_1: f64,
}
