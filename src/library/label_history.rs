//! Giving samples labels, renaming labels, and listing what was changed.

use super::edit::{EditKind, begin_edit};
use super::label_change::{LabelChange, changes, record};
use super::{Library, LibraryError};
use crate::sample::Sha256;
use rusqlite::{OptionalExtension as _, params};

/// Labels that were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relabelled {
    /// The edit; `None` if all samples had their labels already.
    pub edit: Option<i64>,
    /// The changes, in the order in which the samples were named.
    pub changes: Vec<LabelChange>,
}

/// A label that was renamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renamed {
    /// The edit; `None` if no sample had the label, or if the new name is the old one.
    pub edit: Option<i64>,
    /// Samples of the library that have the new label instead.
    pub samples: usize,
    /// Samples of the library that had the new label before: with any, both labels are one now.
    pub merged_with: usize,
}

impl Library {
    /// Gives samples another label, or none: all of them or, on failure, none of them. A sample that had the label already is
    /// not changed. Fails if a sample is not in the library.
    pub fn set_labels(
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

    /// Gives all samples with the label `from` the label `to`, which they then share with those that have it already. Removed
    /// samples change too, so that they are not brought back under the old name. All of it happens or nothing.
    pub fn rename_label(&mut self, from: &str, to: &str, source: &str) -> Result<Renamed, LibraryError> {
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

#[cfg(test)]
mod tests {
    use super::super::fixture::{hash, library, shown};
    use super::*;

    #[test]
    fn a_label_is_renamed_or_merged_and_that_can_be_undone() {
        let (_folder, mut library) = library();
        let before = shown(&library);
        library.remove(&[hash(2)], "test").unwrap();
        let done = library.rename_label("alpha", "gamma", "test").unwrap();
        assert_eq!((done.samples, done.merged_with), (1, 0));
        let renamed = done.edit.unwrap();
        let done = library.rename_label("gamma", "beta", "test").unwrap();
        assert_eq!((done.samples, done.merged_with), (1, 1));
        let merged = done.edit.unwrap();
        let labels: Vec<_> = shown(&library).into_iter().filter_map(|(_, label)| label).collect();
        assert_eq!(labels, ["beta", "beta"]);
        let history = library.label_history(Some(hash(1))).unwrap();
        assert_eq!(history.last().unwrap().after.as_deref(), Some("beta"));
        assert_eq!(history.last().unwrap().edit, Some(merged));
        assert_eq!(library.rename_label("gamma", "x", "test").unwrap(), Renamed::default());
        assert_eq!(library.rename_label("beta", "beta", "test").unwrap(), Renamed::default());

        // The removed sample is renamed too, and comes back under the new name.
        library.restore(&[hash(2)], "test").unwrap();
        assert!(shown(&library).contains(&(2, Some("beta".to_owned()))));
        // An edit that others build on is left alone; undone in order, all is as before.
        assert_eq!(library.undo_edit(renamed).unwrap().left, 2);
        assert_eq!(library.undo_edit(merged).unwrap().labels.len(), 2);
        assert_eq!(library.undo_edit(renamed).unwrap().labels.len(), 2);
        assert_eq!(shown(&library), before);
        assert_eq!(library.latest_undone().unwrap(), Some(renamed));
        library.redo_edit(renamed).unwrap();
        library.redo_edit(merged).unwrap();
        assert_eq!(library.edits(9).unwrap().iter().filter(|edit| edit.undone).count(), 0);
        assert!(shown(&library).contains(&(1, Some("beta".to_owned()))));
    }
}
