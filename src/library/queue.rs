//! What waits in the copy of a team's library to be sent: what was changed while the server could not be reached.

use super::{EditKind, WholeSample};
use crate::sample::Sha256;

/// Something that waits, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The number of its edit in the copy, below zero; `None` if samples that are there were only read by another model.
    pub edit: Option<i64>,
    /// When it was done, as RFC 3339 in UTC; empty without an edit.
    pub at: String,
    /// What it does, in a phrase.
    pub kind: Option<EditKind>,
    /// The samples that it is about.
    pub samples: usize,
    /// Why the server did not take it, if it was sent.
    pub refused: Option<String>,
}

/// What is sent at once: an edit, or a part of the samples that one added.
#[derive(Clone, Debug)]
pub struct ToSend {
    /// Its place in the queue; higher the later it was done.
    pub(super) entry: i64,
    /// By which the server knows it again.
    pub(super) token: [u8; 16],
    /// The edit in the copy.
    pub(super) edit: Option<i64>,
    /// The server's number for that edit, if it has a part of it.
    pub(super) there: Option<i64>,
    /// What kind of command it was.
    pub(super) kind: EditKind,
    /// When it was done, as RFC 3339 in UTC.
    pub(super) at: String,
    /// The way it was done.
    pub(super) source: String,
    /// Samples with all that is kept of them, for those that were added.
    pub(super) samples: Vec<WholeSample>,
    /// Labels that were given by hand.
    pub(super) labels: Vec<(Sha256, Option<String>)>,
    /// Samples that were removed, or brought back.
    pub(super) removals: Vec<(Sha256, bool)>,
}

impl ToSend {
    /// Whether nothing is left of it, since it was undone.
    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.labels.is_empty() && self.removals.is_empty()
    }
}

/// What became of something on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The server's number for the edit; `None` if nothing was left to change.
    pub edit: Option<i64>,
    /// Samples that others changed later, and that were left as these made them.
    pub left: usize,
}
