//! A large library file, of which only what is asked for is read.

use super::contents::{Contents, Rows};
use super::row::Row;
use super::store::read_row;
use super::{Library, LibraryError};
use crate::model::Model;
use crate::sample::Sha256;
use crate::search::{LabelFit, Looks};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Libraries that may have more samples than this are large.
const LARGE: i64 = 20_000;

/// A large library as it is now, whatever is written to it meanwhile.
pub struct LargeLibrary<'a> {
    pub(super) library: &'a Library,
    /// The row id of the model.
    pub(super) id: i64,
    pub(super) model: Arc<Model>,
    /// No sample has a higher row id.
    pub(super) last: i64,
    /// What is read is of one state of the file until this is dropped.
    _state: Transaction<'a>,
}

/// Rows by their ids.
pub(super) type Found = BTreeMap<i64, Row>;

/// What was read, or `None` if a part of it is damaged or missing, so that the library should be read whole.
pub(super) type Part<T> = Result<Option<T>, LibraryError>;

impl Library {
    /// This library, to search in without reading it whole. `None` if it has no model, or so few samples that reading all takes
    /// no longer.
    pub fn large(&self) -> Result<Option<LargeLibrary<'_>>, LibraryError> {
        self.larger_than(LARGE)
    }

    /// The same for a library that may have more samples than `least`.
    pub(super) fn larger_than(&self, least: i64) -> Result<Option<LargeLibrary<'_>>, LibraryError> {
        let found = self.part(|connection| {
            let state = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
            let last: Option<i64> = state.query_row("SELECT max(id) FROM samples", [], |row| row.get(0))?;
            Ok(last.filter(|last| *last > least).map(|last| (last, state)))
        })?;
        let Some((last, _state)) = found else { return Ok(None) };
        let large = |(id, model)| LargeLibrary { library: self, id, model: Arc::new(model), last, _state };
        Ok(self.current_model()?.map(large))
    }

    /// Reads with SQLite. `None` also if a value that it reads is damaged.
    pub(super) fn part<'a, T>(
        &'a self,
        read: impl FnOnce(&'a Connection) -> rusqlite::Result<Option<T>>,
    ) -> Part<T> {
        match self.sqlite(read) {
            Err(LibraryError::Sqlite { error, .. })
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) =>
            {
                Ok(None)
            }
            found => found,
        }
    }
}

impl LargeLibrary<'_> {
    /// Its model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The contents with the first `most` samples whose SHA-256 is from `first` to `last` and with the samples `also`, and no
    /// others. If there are none, they know the number of samples that the model has not embedded. `None` if the library must be
    /// read whole.
    pub fn some(
        &self,
        (first, last): (Sha256, Sha256),
        most: u32,
        also: &[Sha256],
    ) -> Result<Option<Contents>, LibraryError> {
        let present = self.library.present();
        let within = self.library.part(|connection| {
            let mut statement = connection.prepare(&format!(
                "SELECT s.id FROM samples s JOIN embeddings e ON e.model = ?1 AND e.sample = s.id
                 WHERE s.sha256 BETWEEN ?2 AND ?3 AND {present} ORDER BY s.sha256 LIMIT ?4"
            ))?;
            let ids = statement.query_map((self.id, &first.0[..], &last.0[..], most), |row| row.get(0))?;
            ids.collect::<rusqlite::Result<Vec<i64>>>().map(Some)
        })?;
        let (Some(within), Some(also)) = (within, self.ids(also)?) else { return Ok(None) };
        let mut rows = Found::new();
        if self.read(&within, &mut rows)?.is_none() || self.read(&also, &mut rows)?.is_none() {
            return Ok(None);
        }
        let others = if rows.is_empty() { self.others()? } else { Some(0) };
        Ok(others.map(|others| self.contents(rows, others, None)))
    }

    /// The samples that the model has not embedded.
    fn others(&self) -> Part<usize> {
        let present = self.library.present();
        self.library.part(|connection| {
            let count = |of: String| connection.query_row(&of, [], |row| row.get::<_, i64>(0));
            let all = count(format!("SELECT count(*) FROM samples s WHERE {present}"))?;
            let embedded = count(format!(
                "SELECT count(*) FROM embeddings e JOIN samples s ON s.id = e.sample WHERE e.model = {} AND {present}",
                self.id
            ))?;
            Ok(Some((all - embedded) as usize))
        })
    }

    /// The ids of those of these samples that the model has embedded.
    pub(super) fn ids(&self, samples: &[Sha256]) -> Part<Vec<i64>> {
        let present = self.library.present();
        self.library.part(|connection| {
            let mut statement = connection.prepare(&format!(
                "SELECT s.id FROM samples s JOIN embeddings e ON e.model = ?1 AND e.sample = s.id
                 WHERE s.sha256 = ?2 AND {present}"
            ))?;
            let mut ids = Vec::new();
            for sha256 in samples {
                ids.extend(
                    statement.query_row((self.id, &sha256.0[..]), |row| row.get::<_, i64>(0)).optional()?,
                );
            }
            Ok(Some(ids))
        })
    }

    /// Adds the rows with these ids to `found`. `None` if one cannot be read.
    pub(super) fn read(&self, ids: &[i64], found: &mut Found) -> Part<()> {
        let (dimension, with_views) = (self.model.config.embedding, self.model.views.is_some());
        self.library.part(|connection| {
            let mut statement = connection.prepare(&self.library.rows("e.sample = ?2"))?;
            for id in ids {
                if found.contains_key(id) {
                    continue;
                }
                let row = statement
                    .query_row((self.id, *id), |row| read_row(row, dimension, with_views))
                    .optional()?;
                let Some(row) = row.flatten() else { return Ok(None) };
                found.insert(*id, row);
            }
            Ok(Some(()))
        })
    }

    /// Contents with these rows, in their order, and with what was learned from the labels of all. They have no map.
    pub(super) fn contents(&self, found: Found, others: usize, fit: Option<LabelFit>) -> Contents {
        let mut rows = Rows { looks: Looks::new(self.model.config.embedding), others, ..Rows::default() };
        for row in found.into_values() {
            rows.looks.push(&row.look);
            rows.records.push(row.record);
            rows.labels.push(row.label);
        }
        Contents::new(Arc::clone(&self.model), rows).learned(fit)
    }
}
