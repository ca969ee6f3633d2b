//! Giving samples labels, renaming labels, and listing what was changed.

use super::SqliteLibrary;
use super::edit::begin_edit;
use super::label_change::{changes, record};
use crate::library::{EditKind, LabelChange, LabelHistory, LibraryError, Relabelled, Renamed};
use crate::sample::Sha256;
use rusqlite::{OptionalExtension as _, params};

impl LabelHistory for SqliteLibrary {
    fn set_labels(
        &mut self,
        samples: &[Sha256],
        label: Option<&str>,
        source: &str,
    ) -> Result<Relabelled, LibraryError> {
        self.editing(|connection| {
            let mut edit = None;
            for sha256 in samples {
                let found = connection
                    .prepare_cached("SELECT id, label FROM samples WHERE sha256 = ?1 AND NOT removed")?
                    .query_row([&sha256.0[..]], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
                    })
                    .optional()?;
                let Some((id, old)) = found else { return Ok(Err(*sha256)) };
                if old.as_deref() == label {
                    continue;
                }
                let edit = match edit {
                    Some(edit) => edit,
                    None => *edit.insert(begin_edit(connection, EditKind::Label, source)?),
                };
                connection
                    .prepare_cached("UPDATE samples SET label = ?2 WHERE id = ?1")?
                    .execute(params![id, label])?;
                record(connection, edit, id, (old.as_deref(), label), source)?;
            }
            let changes = match edit {
                Some(edit) => changes(connection, "c.edit = ?1", [edit])?,
                None => Vec::new(),
            };
            Ok(Ok(Relabelled { edit, changes }))
        })
    }

    fn rename_label(&mut self, from: &str, to: &str, source: &str) -> Result<Renamed, LibraryError> {
        self.changing(|transaction| {
            let having = |label: &str| {
                let count = "SELECT count(*) FROM samples WHERE label = ?1 AND NOT removed";
                transaction.query_row(count, [label], |row| row.get::<_, i64>(0)).map(|n| n as usize)
            };
            let renamed = Renamed { edit: None, samples: having(from)?, merged_with: having(to)? };
            if renamed.samples == 0 || from == to {
                return Ok(Renamed::default());
            }
            let kind = if renamed.merged_with == 0 { EditKind::Rename } else { EditKind::Merge };
            let edit = begin_edit(transaction, kind, source)?;
            let samples: Vec<i64> = transaction
                .prepare("SELECT id FROM samples WHERE label = ?1 ORDER BY id")?
                .query_map([from], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for sample in samples {
                record(transaction, edit, sample, (Some(from), Some(to)), source)?;
            }
            transaction.execute("UPDATE samples SET label = ?2 WHERE label = ?1", [from, to])?;
            Ok(Renamed { edit: Some(edit), ..renamed })
        })
    }

    fn label_history(&self, of: Option<Sha256>) -> Result<Vec<LabelChange>, LibraryError> {
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
