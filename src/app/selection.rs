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

/// Why the file of a sample cannot be shown as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// It is not where it was read.
    Gone,
    /// Its content is another one now.
    Changed,
}

impl FileProblem {
    /// The problem in a sentence, of a sample in a library that is `shared` or one's own.
    pub fn sentence(self, shared: bool) -> &'static str {
        match self {
            Self::Gone if shared => {
                "Its file is with who added it, or on this machine in a library of your own. The library has what was read of it."
            }
            Self::Gone => "Its file is not there any more. The library keeps what it has read of it.",
            Self::Changed => {
                "Its file has changed since it was added. What is shown is what was added; drop the file to see what it is now."
            }
        }
    }
}
