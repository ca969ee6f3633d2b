//! A record of labels given in this window, for undo.

use std::path::PathBuf;

/// One command that gave labels.
#[derive(Clone, Debug)]
pub struct LabelEdit {
    /// The changed library.
    pub library: PathBuf,
    /// The ids of its changes in the library's history.
    pub changes: Vec<i64>,
}
