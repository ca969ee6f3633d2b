//! A label that was given in this window, as undo needs it.

use std::path::PathBuf;

/// One command that gave labels.
#[derive(Clone, Debug)]
pub struct LabelEdit {
    /// The library that it changed.
    pub library: PathBuf,
    /// The changes in the library's history.
    pub changes: Vec<i64>,
}
