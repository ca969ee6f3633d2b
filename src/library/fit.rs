//! A fit: what is learned from the labels of a library on top of its model, and what tells it from another.

use crate::sample::Sha256;

/// Identifies what is fitted to a library. It is computed again whenever labels change, and not stored: the same version, model
/// and labelled samples give the same fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The version of how it is computed.
    pub version: u32,
    /// A hash of the version, the model, and the samples that it was learned from with their labels, in their order.
    pub hash: Sha256,
    /// Labelled samples that it was learned from; 0 without labels.
    pub files: usize,
    /// Their labels.
    pub labels: usize,
}

impl std::fmt::Display for Fit {
    /// Version and hash, as tables have it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.version, self.hash)
    }
}
