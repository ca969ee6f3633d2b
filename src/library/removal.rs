//! Removing samples from a library, and bringing them back. A removed sample stays in the file with its labels, their history
//! and its embeddings, and nothing shows it.

use super::edit::{EditKind, begin_edit};
use super::{Library, LibraryError};
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

impl Library {
    /// Removes samples: all of them or, on failure, none of them. Returns the edit; `None` if there is none to remove. Fails
    /// if a sample is not in the library.
    pub fn remove(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.set_removed(samples, true, source)
    }

    /// Brings removed samples back, as they were: all of them or, on failure, none of them. Returns the edit; `None` if none of
    /// them was removed. Fails if a sample never was in the library.
    pub fn restore(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.set_removed(samples, false, source)
    }

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

#[cfg(test)]
mod tests {
    use super::super::fixture::{add, hash, library, model, shown};
    use super::*;
    use crate::library::LibraryError;

    #[test]
    fn a_removed_sample_is_nowhere_and_undo_brings_it_back_as_it_was() {
        let (_folder, mut library) = library();
        let before = shown(&library);
        let contents = library.contents().unwrap();
        assert!(library.put_places(&contents, &[[0.0; 2]; 4]).unwrap());
        let edit = library.remove(&[hash(1), hash(3)], "test").unwrap().unwrap();
        assert_eq!(shown(&library), [(2, Some("alpha".to_owned())), (4, None)]);
        let contents = library.contents().unwrap();
        assert_eq!((contents.others(), contents.places().len(), contents.labels().counts().len()), (0, 2, 2));
        assert_eq!((library.labels().unwrap().len(), library.samples().unwrap().len()), (2, 2));
        assert_eq!(library.models().unwrap()[0].embedded, 2);
        assert_eq!(library.check().unwrap(), Vec::<String>::new());
        // It cannot be labelled, and one that is not there changes nothing.
        assert!(matches!(
            library.set_labels(&[hash(2), hash(1)], Some("x"), "test"),
            Err(LibraryError::NoSample { sha256, .. }) if sha256 == hash(1)
        ));
        assert!(library.remove(&[hash(2), hash(9)], "test").is_err());
        assert_eq!(shown(&library).len(), 2);
        // Its history stays.
        assert_eq!(library.label_history(Some(hash(1))).unwrap().len(), 1);
        assert_eq!(library.remove(&[hash(1)], "test").unwrap(), None);

        let done = library.undo_edit(edit).unwrap();
        assert_eq!((done.restored, done.left), (vec![hash(1), hash(3)], 0));
        assert_eq!(shown(&library), before);
        assert_eq!(library.contents().unwrap().places().len(), 4);
        let done = library.redo_edit(edit).unwrap();
        assert_eq!((done.removed.len(), done.edit.undone, shown(&library).len()), (2, false, 2));
        library.restore(&[hash(1), hash(3)], "test").unwrap().unwrap();
        assert_eq!(shown(&library), before);
        // They were brought back since.
        let done = library.undo_edit(edit).unwrap();
        assert!(done.is_empty() && done.left == 2 && !done.edit.undone);
    }

    #[test]
    fn adding_a_removed_sample_again_brings_it_back_with_its_label() {
        let (_folder, mut library) = library();
        let before = shown(&library);
        library.remove(&[hash(2), hash(4)], "test").unwrap();
        let again = [(1, Some("alpha")), (2, Some("other")), (4, Some("beta"))];
        let added = add(&mut library, &model(1), &again);
        assert_eq!((added.new, added.restored, added.known, added.relabelled), (2, 2, 1, 1));
        let mut expected = before;
        expected[3].1 = Some("beta".to_owned());
        assert_eq!(shown(&library), expected);
        let samples = library.samples().unwrap();
        assert!(samples.iter().any(|(_, path)| path.ends_with("other/2.bin")), "{samples:?}");
        // Undoing the import removes them again, and takes back the label that it gave.
        let import = library.edits(1).unwrap().remove(0);
        assert_eq!((import.kind, import.added), (EditKind::Import, 2));
        let done = library.undo_edit(import.id).unwrap();
        assert_eq!((done.removed.len(), done.labels), (2, vec![(hash(4), None)]));
        assert_eq!(shown(&library).len(), 2);
    }
}
