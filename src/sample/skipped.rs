//! Skipped files: what was not read, and why.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A file, folder or archive member that was not read. It is reported; the others are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path.
    pub path: PathBuf,
    /// One sentence: what was expected, what was found, what to do. It does not say how to give a password.
    pub reason: String,
    /// The kind of reason.
    pub cause: Cause,
}

/// Why a file was skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// It cannot be read or used.
    #[default]
    Unusable,
    /// It is an encrypted archive, or a member of one, that another password may open.
    NeedsPassword,
    /// It is a volume of an archive, and is read with another one.
    OtherVolume,
    /// Another file has the same content, and was read.
    Duplicate,
}

impl Skipped {
    /// Something that cannot be read or used.
    pub(crate) fn new(path: PathBuf, reason: impl Into<String>) -> Self {
        Self { path, reason: reason.into(), cause: Cause::Unusable }
    }

    /// Whether another password may help.
    pub fn needs_password(&self) -> bool {
        self.cause == Cause::NeedsPassword
    }

    /// Whether another file with the same content was read.
    pub fn is_duplicate(&self) -> bool {
        self.cause == Cause::Duplicate
    }

    /// What happened to the file, in one word: "skipped" or "duplicate".
    pub fn word(&self) -> &'static str {
        if self.is_duplicate() { "duplicate" } else { "skipped" }
    }
}
