//! Removing samples from a library, and bringing them back. A removed sample stays in the file with its labels, their history
//! and its embeddings, and nothing shows it.

use super::SqliteLibrary;
use super::edit::begin_edit;
use crate::library::{EditKind, LibraryError, RemoveSamples};
use crate::sample::Sha256;
use rusqlite::{Connection, OptionalExtension as _, params};

/// Records that a sample was removed or came back, in the transaction that does it.
pub fn record_removal(
    connection: &Connection,
    edit: i64,
    sample: i64,
    removed: bool,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO removals (edit, sample, removed) VALUES (?1, ?2, ?3)")?
        .execute(params![edit, sample, removed])
        .map(drop)
}

impl RemoveSamples for SqliteLibrary {
    fn remove(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.set_removed(samples, true, source)
    }

    fn restore(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.set_removed(samples, false, source)
    }
}

impl SqliteLibrary {
    fn set_removed(
        &mut self,
        samples: &[Sha256],
        to: bool,
        source: &str,
    ) -> Result<Option<i64>, LibraryError> {
        self.editing(|connection| {
            let mut edit = None;
            for sha256 in samples {
                let found = connection
                    .prepare_cached("SELECT id, removed FROM samples WHERE sha256 = ?1")?
                    .query_row([&sha256.0[..]], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))
                    .optional()?;
                let Some((id, removed)) = found else { return Ok(Err(*sha256)) };
                if removed == to {
                    continue;
                }
                let edit = match edit {
                    Some(edit) => edit,
                    None => {
                        let kind = if to { EditKind::Remove } else { EditKind::Restore };
                        *edit.insert(begin_edit(connection, kind, source)?)
                    }
                };
                connection
                    .prepare_cached("UPDATE samples SET removed = ?2 WHERE id = ?1")?
                    .execute(params![id, to])?;
                record_removal(connection, edit, id, to)?;
            }
            Ok(Ok(edit))
        })
    }
}
