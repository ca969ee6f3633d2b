//! The history of edits: listing them, undoing and redoing them. What was changed after an edit is left alone.

use super::edit::{Edit, latest_edits, read_edit};
use super::{Library, LibraryError};
use crate::sample::Sha256;
use rusqlite::{OptionalExtension as _, Transaction, params};
use std::collections::BTreeSet;

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
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Undo,
    Redo,
}

impl Library {
    /// The latest edits, at most `limit`, the latest first.
    pub fn edits(&self, limit: usize) -> Result<Vec<Edit>, LibraryError> {
        if !self.has_edits() {
            return Ok(Vec::new());
        }
        self.sqlite(|connection| latest_edits(connection, limit))
    }

    /// The edit with this id.
    pub fn edit(&self, id: i64) -> Result<Edit, LibraryError> {
        let found =
            if self.has_edits() { self.sqlite(|connection| read_edit(connection, id))? } else { None };
        found.ok_or_else(|| LibraryError::NoEdit { id, path: self.path().to_owned() })
    }

    /// The id of the latest edit that was made by hand and is not undone: never an import.
    pub fn latest_by_hand(&self) -> Result<Option<i64>, LibraryError> {
        self.edit_where("undone = 0 AND kind <> 'import' ORDER BY id DESC")
    }

    /// The id of the edit that was undone last and is still undone.
    pub fn latest_undone(&self) -> Result<Option<i64>, LibraryError> {
        self.edit_where("undone > 0 ORDER BY undone DESC, id")
    }

    fn edit_where(&self, which: &str) -> Result<Option<i64>, LibraryError> {
        if !self.has_edits() {
            return Ok(None);
        }
        let query = format!("SELECT id FROM edits WHERE {which} LIMIT 1");
        self.sqlite(|connection| connection.query_row(&query, [], |row| row.get(0)).optional())
    }

    /// Undoes an edit: each of its samples has the label, or is in the library or not, as before. Samples that were changed
    /// after the edit are left alone and counted. All of it happens or nothing. Undoing an undone edit changes nothing.
    pub fn undo_edit(&mut self, id: i64) -> Result<Reverted, LibraryError> {
        self.turn(id, Turn::Undo)
    }

    /// Redoes an edit that was undone, as [`Self::undo_edit`] undoes it. Redoing an edit that is not undone changes nothing.
    pub fn redo_edit(&mut self, id: i64) -> Result<Reverted, LibraryError> {
        self.turn(id, Turn::Redo)
    }

    fn turn(&mut self, id: i64, turn: Turn) -> Result<Reverted, LibraryError> {
        let path = self.path().to_owned();
        self.changing(|transaction| {
            let Some(edit) = read_edit(transaction, id)? else { return Ok(None) };
            let mut left = BTreeSet::new();
            let mut done =
                Reverted { edit, labels: Vec::new(), removed: Vec::new(), restored: Vec::new(), left: 0 };
            turn_labels(transaction, turn, &mut done, &mut left)?;
            turn_removals(transaction, turn, &mut done, &mut left)?;
            done.left = left.len();
            if !done.is_empty() {
                let undone = match turn {
                    Turn::Undo => "(SELECT max(undone) + 1 FROM edits)",
                    Turn::Redo => "0",
                };
                transaction.execute(&format!("UPDATE edits SET undone = {undone} WHERE id = ?1"), [id])?;
                done.edit.undone = turn == Turn::Undo;
            }
            Ok(Some(done))
        })?
        .ok_or(LibraryError::NoEdit { id, path })
    }
}

fn turn_labels(
    transaction: &Transaction<'_>,
    turn: Turn,
    done: &mut Reverted,
    left: &mut BTreeSet<i64>,
) -> rusqlite::Result<()> {
    let (from, to) = match turn {
        Turn::Undo => ("after", "before"),
        Turn::Redo => ("before", "after"),
    };
    let changes = transaction
        .prepare(&format!(
            "SELECT c.id, c.sample, s.sha256, c.{to}, s.label IS c.{from} AND NOT EXISTS
                 (SELECT 1 FROM label_changes l WHERE l.sample = c.sample AND l.id > c.id AND NOT l.undone)
             FROM label_changes c JOIN samples s ON s.id = c.sample
             WHERE c.edit = ?1 AND c.undone = ?2 ORDER BY c.id"
        ))?
        .query_map(params![done.edit.id, turn == Turn::Redo], |row| {
            let (label, free): (Option<String>, bool) = (row.get(3)?, row.get(4)?);
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, Sha256(row.get(2)?), label, free))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut label_in = transaction.prepare("UPDATE samples SET label = ?2 WHERE id = ?1")?;
    let mut undone_in = transaction.prepare("UPDATE label_changes SET undone = ?2 WHERE id = ?1")?;
    for (change, sample, sha256, label, free) in changes {
        if !free {
            left.insert(sample);
            continue;
        }
        label_in.execute(params![sample, label])?;
        undone_in.execute(params![change, turn == Turn::Undo])?;
        done.labels.push((sha256, label));
    }
    Ok(())
}

fn turn_removals(
    transaction: &Transaction<'_>,
    turn: Turn,
    done: &mut Reverted,
    left: &mut BTreeSet<i64>,
) -> rusqlite::Result<()> {
    let changes = transaction
        .prepare(
            "SELECT c.id, c.sample, s.sha256, c.removed <> ?2, s.removed = (c.removed <> ?3) AND NOT EXISTS
                 (SELECT 1 FROM removals l WHERE l.sample = c.sample AND l.id > c.id AND NOT l.undone)
                 AND NOT EXISTS
                 (SELECT 1 FROM label_changes l WHERE l.sample = c.sample AND l.edit > c.edit AND NOT l.undone)
             FROM removals c JOIN samples s ON s.id = c.sample
             WHERE c.edit = ?1 AND c.undone = ?3 ORDER BY c.id",
        )?
        .query_map(params![done.edit.id, turn == Turn::Undo, turn == Turn::Redo], |row| {
            let (to, free): (bool, bool) = (row.get(3)?, row.get(4)?);
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, Sha256(row.get(2)?), to, free))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut removed_in = transaction.prepare("UPDATE samples SET removed = ?2 WHERE id = ?1")?;
    let mut undone_in = transaction.prepare("UPDATE removals SET undone = ?2 WHERE id = ?1")?;
    for (change, sample, sha256, to, free) in changes {
        if !free {
            left.insert(sample);
            continue;
        }
        removed_in.execute(params![sample, to])?;
        undone_in.execute(params![change, turn == Turn::Undo])?;
        if to { &mut done.removed } else { &mut done.restored }.push(sha256);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{add, hash, library, model, shown};
    use crate::library::{EditKind, LibraryError};

    #[test]
    fn undo_leaves_alone_what_was_changed_since_and_redo_does_it_again() {
        let (_folder, mut library) = library();
        let before = shown(&library);
        let first =
            library.set_labels(&[hash(1), hash(2), hash(4)], Some("x"), "test").unwrap().edit.unwrap();
        let second = library.set_labels(&[hash(1)], Some("y"), "test").unwrap().edit.unwrap();
        // The same label again, by another edit: still another edit's label.
        library.set_labels(&[hash(1)], Some("x"), "test").unwrap();
        assert_eq!(library.set_labels(&[hash(1)], Some("x"), "test").unwrap().edit, None);
        let done = library.undo_edit(first).unwrap();
        assert_eq!((done.labels.len(), done.left), (2, 1));
        assert_eq!(done.labels[0], (hash(2), Some("alpha".to_owned())));
        assert!(done.edit.undone && library.edit(first).unwrap().undone);
        assert_eq!(library.undo_edit(second).unwrap().left, 1);
        let done = library.redo_edit(first).unwrap();
        assert_eq!((done.labels.len(), done.left, done.edit.undone), (2, 0, false));
        // Twice changes nothing.
        assert!(library.redo_edit(first).unwrap().is_empty());
        for edit in library.edits(9).unwrap().into_iter().filter(|edit| edit.kind.by_hand()) {
            library.undo_edit(edit.id).unwrap();
        }
        assert_eq!(shown(&library), before);
        assert!(matches!(library.undo_edit(99), Err(LibraryError::NoEdit { id: 99, .. })));
    }

    #[test]
    fn an_import_is_one_edit_and_never_the_latest_by_hand() {
        let (_folder, mut library) = library();
        assert_eq!(library.latest_by_hand().unwrap(), None);
        let label = library.set_labels(&[hash(4)], Some("x"), "test").unwrap().edit;
        add(&mut library, &model(1), &[(5, Some("alpha")), (6, Some("gamma"))]);
        assert_eq!(library.latest_by_hand().unwrap(), label);
        let edits = library.edits(2).unwrap();
        assert_eq!(
            edits.iter().map(|edit| edit.kind).collect::<Vec<_>>(),
            [EditKind::Import, EditKind::Label]
        );
        let gave = |label: &str| (Some(label.to_owned()), 1);
        assert_eq!((&edits[0].labels[..], &*edits[0].source), (&[gave("alpha"), gave("gamma")][..], "/sets"));
        library.undo_edit(label.unwrap()).unwrap();
        assert_eq!(library.latest_by_hand().unwrap(), None);
        assert_eq!(library.latest_undone().unwrap(), label);
    }
}
