//! Edits made in this window, as undo and redo need them, and the queue in which they are written.

use crate::sample::Sha256;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// An edit made in this window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowEdit {
    /// The library that it changed.
    pub library: PathBuf,
    /// Its number in the library's history.
    pub id: i64,
    /// What it changed, in a phrase.
    pub text: String,
}

/// Something to write to a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A label for samples; `None` for no label.
    Label(Vec<Sha256>, Option<String>),
    /// Another name for a label: that of a label that exists merges them.
    Rename(String, String),
    /// Remove samples from the library; their files stay.
    Remove(Vec<Sha256>),
    /// Undo the latest edit made in this window, or redo the edit undone last.
    Latest {
        /// Undo it, or redo it.
        undo: bool,
    },
    /// Undo or redo this edit of the history.
    History {
        /// The edit.
        id: i64,
        /// Undo it, or redo it.
        undo: bool,
    },
}

/// What is to be written, one after the other, so that the library and the window agree on what came last; and what was
/// written, newest last.
#[derive(Debug, Default)]
pub struct EditQueue {
    /// What waits, with the library that it is for.
    pub waiting: VecDeque<(PathBuf, Work)>,
    /// A job is writing.
    pub busy: bool,
    done: Vec<WindowEdit>,
    undone: Vec<WindowEdit>,
}

impl EditQueue {
    /// Whether nothing waits or is being written.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.busy
    }

    /// Notes an edit that was made. What was undone before cannot be redone any more.
    pub fn made(&mut self, edit: WindowEdit) {
        self.undone.retain(|undone| undone.library != edit.library);
        self.done.push(edit);
    }

    /// Notes that an edit is undone, or redone.
    pub fn reverted(&mut self, library: &Path, id: i64, undo: bool) {
        let (from, to) =
            if undo { (&mut self.done, &mut self.undone) } else { (&mut self.undone, &mut self.done) };
        let at = from.iter().rposition(|edit| edit.library == library && edit.id == id);
        if let Some(at) = at {
            to.push(from.remove(at));
        }
    }

    /// Gives edits of a library that was sent to its server the numbers that the server gave them.
    pub fn renumber(&mut self, library: &Path, numbers: &[(i64, i64)]) {
        for edit in self.done.iter_mut().chain(&mut self.undone).filter(|edit| edit.library == library) {
            if let Some((_, there)) = numbers.iter().find(|(here, _)| *here == edit.id) {
                edit.id = *there;
            }
        }
    }

    /// Forgets an edit that cannot be undone or redone any more.
    pub fn forget(&mut self, library: &Path, id: i64) {
        for list in [&mut self.done, &mut self.undone] {
            list.retain(|edit| edit.library != library || edit.id != id);
        }
    }

    /// The edit that undo takes back, or that redo makes again.
    pub fn latest(&self, library: &Path, undo: bool) -> Option<&WindowEdit> {
        let list = if undo { &self.done } else { &self.undone };
        list.iter().rfind(|edit| edit.library == library)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undo_and_redo_go_back_and_forth_in_one_library() {
        let edit = |library: &str, id| WindowEdit { library: library.into(), id, text: String::new() };
        let mut queue = EditQueue::default();
        queue.made(edit("a", 1));
        queue.made(edit("a", 2));
        queue.made(edit("b", 7));
        let a = Path::new("a");
        let latest = |queue: &EditQueue| [true, false].map(|undo| queue.latest(a, undo).map(|edit| edit.id));
        let [one, two] = [1, 2].map(Some);
        assert_eq!(latest(&queue), [two, None]);
        queue.reverted(a, 2, true);
        assert_eq!(latest(&queue), [one, two]);
        queue.reverted(a, 2, false);
        assert_eq!(latest(&queue), [two, None]);
        queue.renumber(a, &[(2, 9), (7, 8)]);
        assert_eq!(latest(&queue), [Some(9), None]);
        assert_eq!(queue.latest(Path::new("b"), true).map(|edit| edit.id), Some(7));
        queue.renumber(a, &[(9, 2)]);
        queue.reverted(a, 2, true);
        queue.made(edit("b", 8));
        assert_eq!(latest(&queue), [one, two], "an edit of another library changes nothing");
        queue.made(edit("a", 3));
        assert_eq!(latest(&queue), [Some(3), None]);
        queue.forget(a, 3);
        assert_eq!(latest(&queue), [one, None]);
    }
}
