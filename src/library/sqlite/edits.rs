//! The history of edits: listing them, undoing and redoing them. What was changed after an edit is left alone.

use super::SqliteLibrary;
use super::edit::{latest_edits, read_edit};
use super::queue::HERE;
use crate::library::{Edit, Edits, Engine as _, LibraryError, Reverted, Turn};
use crate::sample::Sha256;
use rusqlite::{OptionalExtension as _, Transaction, params};
use std::collections::BTreeSet;

impl Edits for SqliteLibrary {
    fn edits(&self, limit: usize) -> Result<Vec<Edit>, LibraryError> {
        if !self.has_edits() {
            return Ok(Vec::new());
        }
        self.sqlite(|connection| latest_edits(connection, limit))
    }

    fn edit(&self, id: i64) -> Result<Edit, LibraryError> {
        let found =
            if self.has_edits() { self.sqlite(|connection| read_edit(connection, id))? } else { None };
        found.ok_or_else(|| LibraryError::NoEdit { id, location: self.location().clone() })
    }

    fn latest(&self, turn: Turn) -> Result<Option<i64>, LibraryError> {
        if !self.has_edits() {
            return Ok(None);
        }
        let which = match turn {
            Turn::Undo => "undone = 0 AND kind <> 'import' ORDER BY id DESC",
            Turn::Redo => "undone > 0 ORDER BY undone DESC, id",
        };
        let query = format!("SELECT id FROM edits WHERE {which} LIMIT 1");
        self.sqlite(|connection| connection.query_row(&query, [], |row| row.get(0)).optional())
    }

    fn turn(&mut self, id: i64, turn: Turn) -> Result<Reverted, LibraryError> {
        let location = self.location().clone();
        self.turn_if(id, turn, "1")?.ok_or(LibraryError::NoEdit { id, location })
    }
}

impl SqliteLibrary {
    /// Turns an edit of a copy; `None` if it does not wait, or if any of it was sent.
    pub fn turn_here(&mut self, id: i64, turn: Turn) -> Result<Option<Reverted>, LibraryError> {
        self.turn_if(id, turn, HERE)
    }

    /// Turns an edit `e` for which a condition holds.
    fn turn_if(&mut self, id: i64, turn: Turn, which: &str) -> Result<Option<Reverted>, LibraryError> {
        let fits = format!("SELECT EXISTS (SELECT 1 FROM edits e WHERE e.id = ?1 AND {which})");
        self.changing(|transaction| {
            let Some(edit) = read_edit(transaction, id)? else { return Ok(None) };
            if !transaction.query_row(&fits, [id], |row| row.get::<_, bool>(0))? {
                return Ok(None);
            }
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
        })
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
