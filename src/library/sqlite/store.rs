//! Reading and changing the library file.

use super::enqueue::{latest_edit, queue_edits_after};
use super::row::{LISTED, parse_row, to_path};
use super::schema::{self, Opened};
use super::version::{WITH_EDITS, WITH_SEGMENTS, WITH_VIEWS};
use crate::library::row::Row;
use crate::library::{Engine, LibraryError, Location, PartlyRead};
use crate::model::Model;
use crate::sample::Sha256;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params_from_iter};
use std::path::{Path, PathBuf};

/// The cache of pages once something is written, in KiB, as SQLite takes it: samples come in no order of their hashes.
const WRITING: i64 = -65_536;

/// An open library file.
#[derive(Debug)]
pub struct SqliteLibrary {
    connection: Connection,
    location: Location,
    read_only: Option<String>,
    version: i64,
    /// What is changed is queued, to be sent.
    pub(super) queueing: bool,
}

impl SqliteLibrary {
    /// Opens the library in the file `path`, or with `create` an empty one where there is no file; its folder is created too. One of
    /// an earlier version is migrated.
    pub fn open(path: &Path, create: bool) -> Result<Self, LibraryError> {
        let folder = path.parent().filter(|folder| create && !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| LibraryError::Folder { path: folder.to_owned(), error })?;
        }
        let Opened { connection, read_only, version } = schema::open(path, create)?;
        Ok(Self { connection, location: path.into(), read_only, version, queueing: false })
    }

    /// Changes the file: all of what `work` does or nothing. The lock is taken first, so two programs wait
    /// for each other and neither fails half-way.
    pub(super) fn changing<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LibraryError> {
        self.check_writable()?;
        let (location, queueing) = (self.location.clone(), self.queueing);
        let change = |connection: &mut Connection| {
            connection.pragma_update(None, "cache_size", WRITING)?;
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let before = if queueing { Some(latest_edit(&transaction)?) } else { None };
            let done = work(&transaction)?;
            if let Some(before) = before {
                queue_edits_after(&transaction, before)?;
            }
            transaction.commit()?;
            Ok(done)
        };
        change(&mut self.connection)
            .map_err(|error: rusqlite::Error| LibraryError::Failed { why: error.to_string(), location })
    }

    /// The same for work on samples that are named: it ends with the one that is not in the library, if there is one, and
    /// nothing is changed then.
    pub(super) fn editing<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<Result<T, Sha256>>,
    ) -> Result<T, LibraryError> {
        let mut missing = None;
        let done = self.changing(|transaction| {
            work(transaction)?.map_err(|sha256| {
                missing = Some(sha256);
                rusqlite::Error::QueryReturnedNoRows
            })
        });
        match missing {
            Some(sha256) => Err(LibraryError::NoSample { sha256, location: self.location.clone() }),
            None => done,
        }
    }

    /// Whether it has edits, removed samples and names of models: only a library of an earlier version that cannot be written
    /// has not.
    pub(super) fn has_edits(&self) -> bool {
        self.version >= WITH_EDITS
    }

    /// The version of its tables.
    pub(super) fn version(&self) -> i64 {
        self.version
    }

    /// The condition that a row `s` of samples is in the library and not removed from it.
    pub(super) fn present(&self) -> &'static str {
        if self.has_edits() { "NOT s.removed" } else { "1" }
    }

    /// The samples `s` that a condition with these parameters selects. Those with a damaged path are left out.
    pub(super) fn samples_where(
        &self,
        which: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        let query = format!("SELECT s.sha256, s.path FROM samples s WHERE {} AND {which}", self.present());
        let found: Vec<_> = self.sqlite(|c| {
            c.prepare(&query)?
                .query_map(params_from_iter(parameters), |row| {
                    Ok((Sha256(row.get(0)?), to_path(row.get_ref(1)?)))
                })?
                .collect::<rusqlite::Result<_>>()
        })?;
        Ok(found.into_iter().filter_map(|(sha256, path)| Some((sha256, path?))).collect())
    }

    /// The row id of the current model, and the model.
    pub(super) fn current_model(&self) -> Result<Option<(i64, Model)>, LibraryError> {
        let found = self.sqlite(|c| {
            c.query_row(
                "SELECT models.id, models.bytes FROM models JOIN current_model ON current_model.model = models.id",
                [],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)),
            )
            .optional()
        })?;
        let read = |(id, bytes)| Ok((id, Model::from_bytes(bytes)?));
        found.map(read).transpose()
    }

    /// Selects the rows that model ?1 has embedded and for which this holds, with all that [`parse_row`] reads.
    pub(super) fn rows(&self, which: &str) -> String {
        let (seen, views) = self.seen();
        self.selected(&format!("{LISTED}, e.vector, {seen}"), views, which)
    }

    /// The same with only what [`parse_listed`] reads.
    ///
    /// [`parse_listed`]: super::row::parse_listed
    pub(super) fn listed(&self, which: &str) -> String {
        self.selected(LISTED, "", which)
    }

    fn selected(&self, columns: &str, views: &str, which: &str) -> String {
        let present = self.present();
        format!(
            "SELECT {columns} FROM embeddings e JOIN samples s ON s.id = e.sample
             LEFT JOIN places p ON p.model = e.model AND p.sample = e.sample
             {views}
             WHERE e.model = ?1 AND {present} AND {which}"
        )
    }

    /// What the views see of the samples of embeddings `e`: the value, and the table to join. A library of an earlier version that
    /// cannot be written has another table, or none and no model with views.
    pub(super) fn seen(&self) -> (&'static str, &'static str) {
        match self.version {
            WITH_SEGMENTS.. => ("v.seen", "LEFT JOIN seen v ON v.look = e.model << 40 | e.sample"),
            WITH_VIEWS.. => ("v.seen", "LEFT JOIN views v ON v.model = e.model AND v.sample = e.sample"),
            _ => ("NULL", ""),
        }
    }

    pub(super) fn sqlite<'a, T>(
        &'a self,
        work: impl FnOnce(&'a Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LibraryError> {
        work(&self.connection)
            .map_err(|error| LibraryError::Failed { why: error.to_string(), location: self.location.clone() })
    }
}

impl Engine for SqliteLibrary {
    fn location(&self) -> &Location {
        &self.location
    }

    fn larger_than(&self, least: i64) -> Result<Option<Box<dyn PartlyRead + '_>>, LibraryError> {
        Ok(self.state(least)?.map(|large| Box::new(large) as _))
    }

    fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }
}

/// The hash of the current model.
pub(super) fn current_model(connection: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .query_row(
            "SELECT models.sha256 FROM models JOIN current_model ON current_model.model = models.id",
            [],
            |row| row.get(0),
        )
        .optional()
}

/// One row of [`Library::rows`]; `None` if its values are not those of a sample.
pub(super) fn read_row(
    row: &rusqlite::Row<'_>,
    dimension: usize,
    with_views: bool,
) -> rusqlite::Result<Option<Row>> {
    let mut values = [ValueRef::Null; 11];
    for (column, value) in values.iter_mut().enumerate() {
        *value = row.get_ref(column)?;
    }
    Ok(parse_row(values, dimension, with_views))
}

#[cfg(test)]
mod tests {
    use super::super::schema::make_version_1;
    use super::*;
    use crate::library::engine_tests::fixture::{hash, model};
    use crate::library::{
        Edits as _, LabelHistory as _, Models as _, RemoveSamples as _, StoredSamples as _,
    };
    use rusqlite::params;

    #[test]
    fn a_library_of_version_1_that_cannot_be_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.lookalike");
        let connection = make_version_1(&path).unwrap();
        let model = model(1);
        let vector: Vec<u8> = (0..64).flat_map(|i| f32::from(u8::from(i == 0)).to_le_bytes()).collect();
        connection
            .execute(
                "INSERT INTO samples (sha256, path, size, kind, label) VALUES (?1, '/a', 3, 'PE', 'alpha')",
                [&hash(1).0[..]],
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO models (sha256, bytes) VALUES (?1, ?2)",
                params![&model.hash.0[..], model.bytes],
            )
            .unwrap();
        connection.execute("INSERT INTO embeddings VALUES (1, 1, ?1)", [vector]).unwrap();
        connection.execute("INSERT INTO current_model VALUES (1, 1)", []).unwrap();
        let mut library = SqliteLibrary {
            connection,
            location: path.as_path().into(),
            read_only: Some("a test".to_owned()),
            version: 1,
            queueing: false,
        };
        let contents = library.contents().unwrap();
        assert_eq!((contents.len(), contents.others()), (1, 0));
        assert_eq!(library.labels().unwrap(), [(hash(1), Some("alpha".to_owned()))]);
        assert_eq!(library.samples().unwrap(), [(hash(1), PathBuf::from("/a"))]);
        assert!(library.label_history(None).unwrap().is_empty() && library.edits(9).unwrap().is_empty());
        assert_eq!((library.latest_by_hand().unwrap(), library.latest_undone().unwrap()), (None, None));
        let models = library.models().unwrap();
        assert_eq!((models[0].name.clone(), models[0].embedded), (model.hash.short(), 1));
        assert!(library.lacking(model.hash).unwrap().is_empty());
        assert!(matches!(library.remove(&[hash(1)], "test"), Err(LibraryError::ReadOnly { .. })));
        assert!(matches!(library.edit(1), Err(LibraryError::NoEdit { .. })));
    }
}
