//! Labels given in this window, as undo needs them, and the queue in which they are written.

use crate::sample::Sha256;
use std::collections::VecDeque;
use std::path::PathBuf;

/// One command that gave labels.
#[derive(Clone, Debug)]
pub struct LabelEdit {
    /// The library that it changed.
    pub library: PathBuf,
    /// Its id in the library's history.
    pub edit: i64,
}

/// Something to write to a library.
#[derive(Clone, Debug)]
pub enum LabelWork {
    /// A label for samples; `None` for no label.
    Give(PathBuf, Vec<Sha256>, Option<String>),
    /// Undo the latest label given in this window.
    Undo(PathBuf),
}

/// What is to be written, one after the other, so that the library and the window agree on what came last.
#[derive(Debug, Default)]
pub struct LabelQueue {
    /// What waits.
    pub waiting: VecDeque<LabelWork>,
    /// A job is writing.
    pub busy: bool,
}

impl LabelQueue {
    /// Whether nothing waits or is being written.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.busy
    }
}
