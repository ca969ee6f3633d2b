//! The selection: a sample, identified by its hash, so that it never moves to another sample.

use crate::sample::Sha256;

/// A sample that is selected or marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// A queried sample.
    Queried(Sha256),
    /// A sample of the library.
    InLibrary(Sha256),
}

impl Selection {
    /// The hash of the sample.
    pub fn sha256(self) -> Sha256 {
        match self {
            Self::Queried(sha256) | Self::InLibrary(sha256) => sha256,
        }
    }
}
