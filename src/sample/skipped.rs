//! Skipped files: what was not read, and why.

use std::path::PathBuf;

/// A file, folder or archive member that was not read. It is reported; the others are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path.
    pub path: PathBuf,
    /// One sentence: what was expected, what was found, what to do.
    pub reason: String,
    /// Whether it is an encrypted archive, or a member of one, that another password may open. The reason does
    /// not say how to give a password.
    pub needs_password: bool,
}

impl Skipped {
    /// Something skipped for a reason other than a missing password.
    pub(crate) fn new(path: PathBuf, reason: impl Into<String>) -> Self {
        Self { path, reason: reason.into(), needs_password: false }
    }
}
