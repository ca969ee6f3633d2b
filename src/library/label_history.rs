//! The history of labels: giving samples labels, undoing that, and listing the changes.

use super::label_change::{LabelChange, changes, record};
use super::{Library, LibraryError};
use crate::sample::Sha256;
use rusqlite::{OptionalExtension as _, params};

impl Library {
    /// Gives samples another label, or none: all of them or, on failure, none of them. Returns the changes;
    /// a sample that had the label already has none. Fails if a sample is not in the library.
    pub fn set_labels(
        &mut self,
        samples: &[Sha256],
        label: Option<&str>,
        source: &str,
    ) -> Result<Vec<LabelChange>, LibraryError> {
        let path = self.path().to_owned();
        self.changing(|transaction| {
            let before: i64 =
                transaction
                    .query_row("SELECT coalesce(max(id), 0) FROM label_changes", [], |row| row.get(0))?;
            for sha256 in samples {
                let (id, old) = transaction
                    .query_row("SELECT id, label FROM samples WHERE sha256 = ?1", [&sha256.0[..]], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
                    })
                    .optional()?
                    .ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                if old.as_deref() != label {
                    transaction.execute("UPDATE samples SET label = ?2 WHERE id = ?1", params![id, label])?;
                    record(transaction, id, old.as_deref(), label, source)?;
                }
            }
            changes(transaction, "c.id > ?1", [before])
        })
        .map_err(|error| match error {
            LibraryError::Sqlite { error: rusqlite::Error::QueryReturnedNoRows, .. } => {
                LibraryError::NoSample { path }
            }
            error => error,
        })
    }

    /// Undoes these changes, all or none. A change counts as undone if it is marked so already; one whose
    /// sample has been given another label since is left alone. Returns those that were undone, oldest first.
    pub fn undo_label_changes(&mut self, ids: &[i64]) -> Result<Vec<LabelChange>, LibraryError> {
        self.changing(|transaction| {
            let mut undone = Vec::new();
            for id in ids.iter().rev() {
                let which = "c.id = ?1 AND NOT c.undone AND s.label IS c.after";
                for change in changes(transaction, which, [id])? {
                    transaction.execute(
                        "UPDATE samples SET label = ?2 WHERE sha256 = ?1",
                        params![&change.sha256.0[..], change.before],
                    )?;
                    transaction.execute("UPDATE label_changes SET undone = 1 WHERE id = ?1", [id])?;
                    undone.push(change);
                }
            }
            undone.reverse();
            Ok(undone)
        })
    }

    /// Undoes the latest change of a label that is not undone yet, and those made with it (in the same
    /// second, from the same source). Returns them, oldest first.
    pub fn undo_labels(&mut self) -> Result<Vec<LabelChange>, LibraryError> {
        self.changing(|transaction| {
            let latest = transaction
                .query_row(
                    "SELECT at, source FROM label_changes WHERE NOT undone ORDER BY id DESC LIMIT 1",
                    [],
                    |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
                )
                .optional()?;
            let Some((at, source)) = latest else { return Ok(Vec::new()) };
            let together = "NOT undone AND at = ?1 AND source = ?2";
            let changes = changes(transaction, together, params![at, source])?;
            // The newest first, so that each sample ends with its oldest label.
            transaction
                .prepare(&format!(
                    "SELECT sample, before FROM label_changes WHERE {together} ORDER BY id DESC"
                ))?
                .query_map(params![at, source], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?
                .into_iter()
                .try_for_each(|(sample, before)| {
                    transaction
                        .execute("UPDATE samples SET label = ?2 WHERE id = ?1", params![sample, before])
                        .map(drop)
                })?;
            transaction.execute(
                &format!("UPDATE label_changes SET undone = 1 WHERE {together}"),
                params![at, source],
            )?;
            Ok(changes)
        })
    }

    /// All changes of the label of one sample, or of all samples, oldest first.
    pub fn label_history(&self, of: Option<Sha256>) -> Result<Vec<LabelChange>, LibraryError> {
        self.sqlite(|connection| match of {
            None => changes(connection, "1", []),
            Some(sha256) => changes(
                connection,
                "sample = (SELECT id FROM samples WHERE sha256 = ?1)",
                params![&sha256.0[..]],
            ),
        })
    }
}
