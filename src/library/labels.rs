//! Labels and their history: who gave a sample which label, when and from what; and taking it back.

use super::{Library, LibraryError};
use crate::sample::Sha256;
use rusqlite::{OptionalExtension as _, Transaction, params};

/// One change of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelChange {
    /// The sample.
    pub sha256: Sha256,
    /// The label before, if there was one.
    pub before: Option<String>,
    /// The label after, if there is one.
    pub after: Option<String>,
    /// When, in UTC as RFC 3339 has it.
    pub at: String,
    /// The user's name on the machine.
    pub who: String,
    /// The folder, or how else it was given.
    pub source: String,
    /// Whether it was taken back.
    pub undone: bool,
}

/// The user's name, as the system has it.
fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "unknown".into())
}

/// Writes a change down, in the transaction that makes it.
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
    /// Gives samples another label, or none: all of them or, on failure, none of them. Returns how many
    /// have another label now; samples that are not in the library count as failure.
    pub fn set_labels(
        &mut self,
        samples: &[Sha256],
        label: Option<&str>,
        source: &str,
    ) -> Result<usize, LibraryError> {
        let path = self.path().to_owned();
        self.changing(|transaction| {
            let mut changed = 0;
            for sha256 in samples {
                let (id, before) = transaction
                    .query_row("SELECT id, label FROM samples WHERE sha256 = ?1", [&sha256.0[..]], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
                    })
                    .optional()?
                    .ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                if before.as_deref() != label {
                    transaction.execute("UPDATE samples SET label = ?2 WHERE id = ?1", params![id, label])?;
                    record(transaction, id, before.as_deref(), label, source)?;
                    changed += 1;
                }
            }
            Ok(changed)
        })
        .map_err(|error| match error {
            LibraryError::Sqlite { error: rusqlite::Error::QueryReturnedNoRows, .. } => {
                LibraryError::NoSample { path }
            }
            error => error,
        })
    }

    /// Takes the latest change of a label back that was not taken back yet, and those made with it (in the
    /// same second, from the same source). Returns what was taken back, oldest first.
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
            // The newest first, so that the oldest has the last word.
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

    /// All changes of a sample's label, oldest first; of all samples without one named.
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
    // A library that is only read may be of version 1, which has no history.
    let there = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'label_changes'",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    if there == 0 {
        return Ok(Vec::new());
    }
    connection
        .prepare(&format!(
            "SELECT s.sha256, c.before, c.after, c.at, c.who, c.source, c.undone
             FROM label_changes c JOIN samples s ON s.id = c.sample WHERE {which} ORDER BY c.id"
        ))?
        .query_map(parameters, |row| {
            Ok(LabelChange {
                sha256: Sha256(row.get(0)?),
                before: row.get(1)?,
                after: row.get(2)?,
                at: row.get(3)?,
                who: row.get(4)?,
                source: row.get(5)?,
                undone: row.get(6)?,
            })
        })?
        .collect()
}
