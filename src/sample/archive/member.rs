//! A member of an archive that was read: its bytes, and what the archive says about it.

use crate::sample::facts::Facts;
use crate::sample::sparse_bytes::SparseBytes;

/// A file in an archive.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// Its bytes.
    pub bytes: SparseBytes,
    /// What to say about it.
    pub notes: Vec<Note>,
}

/// Something that reading an archive found out about a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// A finding: "a Java archive". Empty for a problem.
    pub name: String,
    /// The reason for the finding, or the problem.
    pub text: String,
}

impl Note {
    /// A finding, with its reason.
    pub fn hint(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), text: reason.into() }
    }

    /// A problem.
    pub fn problem(text: impl Into<String>) -> Self {
        Self { name: String::new(), text: text.into() }
    }

    /// Adds the note to the facts of its sample.
    pub fn add_to(&self, facts: &mut Facts) {
        let notes = facts.content.notes_mut();
        if self.name.is_empty() {
            notes.problem("archive", &self.text);
        } else {
            notes.hint(&self.name, &self.text);
        }
    }
}

impl From<SparseBytes> for Member {
    fn from(bytes: SparseBytes) -> Self {
        Self { bytes, notes: Vec::new() }
    }
}

impl From<Vec<u8>> for Member {
    fn from(bytes: Vec<u8>) -> Self {
        SparseBytes::from(bytes).into()
    }
}
