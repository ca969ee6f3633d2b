//! Edits: what one command of a user changed in a library, listed, undone and redone as one. What was changed after an edit is
//! left alone.

use super::LibraryError;
use super::label_table::LabelCount;
use crate::sample::Sha256;

/// What kind of command it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditKind {
    /// Samples were given a label, or none.
    Label,
    /// A label was renamed to one that no sample had.
    Rename,
    /// A label was renamed to one that samples had already.
    Merge,
    /// Samples were removed.
    Remove,
    /// Removed samples were brought back.
    Restore,
    /// Samples were added, with the labels of their folders.
    Import,
}

pub(super) const KINDS: [(EditKind, &str); 6] = [
    (EditKind::Label, "label"),
    (EditKind::Rename, "rename"),
    (EditKind::Merge, "merge"),
    (EditKind::Remove, "remove"),
    (EditKind::Restore, "restore"),
    (EditKind::Import, "import"),
];

impl EditKind {
    /// Its name in the library file and in JSON.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Whether a user made it sample by sample or label by label: all but imports.
    pub fn by_hand(self) -> bool {
        self != Self::Import
    }
}

/// One edit of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Its row id in the library file; higher the later it was made.
    pub id: i64,
    /// What kind of command it was.
    pub kind: EditKind,
    /// When, as RFC 3339 in UTC.
    pub at: String,
    /// The user's name on that machine.
    pub who: String,
    /// The folders of an import, or another way it was made.
    pub source: String,
    /// Whether it is undone.
    pub undone: bool,
    /// The labels that it gave and the number of samples that got each, the most frequent first; `None` for no label.
    pub labels: Vec<LabelCount>,
    /// The label that was renamed or merged.
    pub from: Option<String>,
    /// The number of samples that it removed.
    pub removed: usize,
    /// The number of samples that it added, or brought back.
    pub added: usize,
}

/// The user's name, as the system knows it.
pub fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "unknown".into())
}

/// What undoing or redoing an edit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reverted {
    /// The edit as it is now. It is undone, or is not any more, if any sample changed.
    pub edit: Edit,
    /// The samples that have another label, with that label.
    pub labels: Vec<(Sha256, Option<String>)>,
    /// The samples that are not in the library any more.
    pub removed: Vec<Sha256>,
    /// The samples that are in the library again.
    pub restored: Vec<Sha256>,
    /// The number of samples that were left alone because they were changed after the edit.
    pub left: usize,
}

impl Reverted {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.removed.is_empty() && self.restored.is_empty()
    }
}

/// Which way an edit is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Back to what was before it.
    Undo,
    /// To what it changed, after it was undone.
    Redo,
}

/// The edits of a library.
pub trait Edits {
    /// The latest edits, at most `limit`, the latest first.
    fn edits(&self, limit: usize) -> Result<Vec<Edit>, LibraryError>;

    /// The edit with this id.
    fn edit(&self, id: i64) -> Result<Edit, LibraryError>;

    /// The id of the latest edit to turn: [`Self::latest_by_hand`] or [`Self::latest_undone`].
    fn latest(&self, turn: Turn) -> Result<Option<i64>, LibraryError>;

    /// Turns an edit: [`Self::undo_edit`] or [`Self::redo_edit`].
    fn turn(&mut self, id: i64, turn: Turn) -> Result<Reverted, LibraryError>;

    /// The id of the latest edit that was made by hand and is not undone: never an import.
    fn latest_by_hand(&self) -> Result<Option<i64>, LibraryError> {
        self.latest(Turn::Undo)
    }

    /// The id of the edit that was undone last and is still undone.
    fn latest_undone(&self) -> Result<Option<i64>, LibraryError> {
        self.latest(Turn::Redo)
    }

    /// Undoes an edit: each of its samples has the label, or is in the library or not, as before. Samples that were changed
    /// after the edit are left alone and counted. All of it happens or nothing. Undoing an undone edit changes nothing.
    fn undo_edit(&mut self, id: i64) -> Result<Reverted, LibraryError> {
        self.turn(id, Turn::Undo)
    }

    /// Redoes an edit that was undone, as [`Self::undo_edit`] undoes it. Redoing an edit that is not undone changes nothing.
    fn redo_edit(&mut self, id: i64) -> Result<Reverted, LibraryError> {
        self.turn(id, Turn::Redo)
    }
}
