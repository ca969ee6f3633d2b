//! The history of labels: who gave a sample which label, when, and from what source; and undoing it.

use super::{Library, LibraryError};
use crate::sample::Sha256;
use rusqlite::{OptionalExtension as _, Transaction, params};

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
}

/// The user's name, as the system knows it.
fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "unknown".into())
}

/// Records a change, in the transaction that makes it.
pub fn record(
    transaction: &Transaction<'_>,
    sample: i64,
    before: Option<&str>,
    after: Option<&str>,
    source: &str,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO label_changes (sample, before, after, who, source) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![sample, before, after, user(), source])?;
    Ok(())
}

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

fn changes(
    connection: &rusqlite::Connection,
    which: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<LabelChange>> {
    // A read-only library may be of version 1, which has no history.
    let tables = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'label_changes'",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    connection
        .prepare(&format!(
            "SELECT c.id, s.sha256, c.before, c.after, c.at, c.who, c.source, c.undone
             FROM label_changes c JOIN samples s ON s.id = c.sample WHERE {which} ORDER BY c.id"
        ))?
        .query_map(parameters, |row| {
            Ok(LabelChange {
                id: row.get(0)?,
                sha256: Sha256(row.get(1)?),
                before: row.get(2)?,
                after: row.get(3)?,
                at: row.get(4)?,
                who: row.get(5)?,
                source: row.get(6)?,
                undone: row.get(7)?,
            })
        })?
        .collect()
}
