//! Labels of samples with their history: who gave a sample which label, when, and from what source.

use super::LibraryError;
use crate::sample::Sha256;

/// One change of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelChange {
    /// Its row id in the library file.
    pub id: i64,
    /// The sample.
    pub sha256: Sha256,
    /// The label before, if there was one.
    pub before: Option<String>,
    /// The label after, if there is one.
    pub after: Option<String>,
    /// When, as RFC 3339 in UTC.
    pub at: String,
    /// The user's name on that machine.
    pub who: String,
    /// The folder, or another way it was given.
    pub source: String,
    /// Whether it was undone.
    pub undone: bool,
    /// The edit that it is a part of; `None` in a library of an earlier version that cannot be written.
    pub edit: Option<i64>,
}

/// Labels that were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relabelled {
    /// The edit; `None` if all samples had their labels already.
    pub edit: Option<i64>,
    /// The changes, in the order in which the samples were named.
    pub changes: Vec<LabelChange>,
}

/// A label that was renamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renamed {
    /// The edit; `None` if no sample had the label, or if the new name is the old one.
    pub edit: Option<i64>,
    /// Samples of the library that have the new label instead.
    pub samples: usize,
    /// Samples of the library that had the new label before: with any, both labels are one now.
    pub merged_with: usize,
}

/// The labels of a library.
pub trait LabelHistory {
    /// Gives samples another label, or none: all of them or, on failure, none of them. A sample that had the label already is
    /// not changed. Fails if a sample is not in the library.
    fn set_labels(
        &mut self,
        samples: &[Sha256],
        label: Option<&str>,
        source: &str,
    ) -> Result<Relabelled, LibraryError>;

    /// Gives all samples with the label `from` the label `to`, which they then share with those that have it already. Removed
    /// samples change too, so that they are not brought back under the old name. All of it happens or nothing.
    fn rename_label(&mut self, from: &str, to: &str, source: &str) -> Result<Renamed, LibraryError>;

    /// All changes of the label of one sample, or of all samples, oldest first.
    fn label_history(&self, of: Option<Sha256>) -> Result<Vec<LabelChange>, LibraryError>;
}
