//! A large library file, of which only what is asked for is read.

use super::SqliteLibrary;
use super::segments::uncovered;
use super::store::read_row;
use crate::job::{Reporter, Stop};
use crate::library::block::Block;
use crate::library::partly_read::{Found, Part};
use crate::library::search::Allowed;
use crate::library::{LibraryError, Nearest, PartlyRead, Search};
use crate::model::{Calibration, Model};
use crate::sample::Sha256;
use crate::search::Looks;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A large library as it is now, whatever is written to it meanwhile.
pub struct LargeLibrary<'a> {
    pub(super) library: &'a SqliteLibrary,
    /// The row id of the model.
    pub(super) id: i64,
    pub(super) model: Arc<Model>,
    /// No sample has a higher row id.
    pub(super) last: i64,
    /// What is read is of one state of the file until this is dropped.
    _state: Transaction<'a>,
}

impl SqliteLibrary {
    /// This library as it is now, if it may have more samples than `least`.
    pub fn state(&self, least: i64) -> Result<Option<LargeLibrary<'_>>, LibraryError> {
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
        self.sqlite(|connection| match read(connection) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => Ok(None),
            found => found,
        })
    }
}

impl PartlyRead for LargeLibrary<'_> {
    fn model(&self) -> &Arc<Model> {
        &self.model
    }

    fn count(&self, most: usize) -> Part<usize> {
        let present = self.library.present();
        self.library.part(|connection| {
            let count = format!(
                "SELECT count(*) FROM (SELECT 1 FROM embeddings e JOIN samples s ON s.id = e.sample
                 WHERE e.model = ?1 AND {present} LIMIT ?2)"
            );
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            connection
                .query_row(&count, [self.id, most], |row| row.get::<_, i64>(0))
                .map(|count| Some(count as usize))
        })
    }

    fn others(&self) -> Part<usize> {
        let present = self.library.present();
        let all = self.library.part(|connection| {
            let count = format!("SELECT count(*) FROM samples s WHERE {present}");
            connection.query_row(&count, [], |row| row.get::<_, i64>(0)).map(|all| Some(all as usize))
        })?;
        let embedded = self.count(usize::MAX)?;
        Ok(all.zip(embedded).map(|(all, embedded)| all.saturating_sub(embedded)))
    }

    fn ids(&self, samples: &[Sha256]) -> Part<Vec<i64>> {
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

    fn read(&self, ids: &[i64], found: &mut Found) -> Part<()> {
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

    fn ids_between(&self, (first, last): (Sha256, Sha256), most: u32) -> Part<Vec<i64>> {
        let present = self.library.present();
        self.library.part(|connection| {
            let mut statement = connection.prepare(&format!(
                "SELECT s.id FROM samples s JOIN embeddings e ON e.model = ?1 AND e.sample = s.id
                 WHERE s.sha256 BETWEEN ?2 AND ?3 AND {present} ORDER BY s.sha256 LIMIT ?4"
            ))?;
            let ids = statement.query_map((self.id, &first.0[..], &last.0[..], most), |row| row.get(0))?;
            ids.collect::<rusqlite::Result<Vec<i64>>>().map(Some)
        })
    }

    fn with_labels(&self, labels: &[String]) -> Part<Vec<i64>> {
        let present = self.library.present();
        self.library.part(|connection| {
            let mut statement = connection.prepare(&format!(
                "SELECT s.id FROM samples s JOIN embeddings e ON e.model = ?1 AND e.sample = s.id
                 WHERE s.label = ?2 AND {present}"
            ))?;
            let mut all = Vec::new();
            for label in labels {
                let ids = statement.query_map(params![self.id, label], |row| row.get(0))?;
                all.extend(ids.collect::<rusqlite::Result<Vec<i64>>>()?);
            }
            all.sort_unstable();
            all.dedup();
            Ok(Some(all))
        })
    }

    fn nearest(
        &self,
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop> {
        let this = self as &dyn PartlyRead;
        let Some(segments) = self.segments()? else {
            return this.nearest_of_all(search, calibration, reporter);
        };
        let Some(allowed) = this.allowed(search.among)? else { return Ok(None) };
        let passing = search.passing(calibration);
        if let Allowed::Few(ids) = &allowed {
            return Ok(this.nearest_of_few(ids, passing)?);
        }
        let Some(near) = self.nearest_in(&segments, search, calibration, &allowed)? else {
            return this.nearest_of_all(search, calibration, reporter);
        };
        let rest = uncovered(&segments, self.last);
        let rest = this.pass_blocks(passing, &allowed, |take| self.read_all(&rest, reporter, take))?;
        Ok(rest.map(|rest| near.and(rest)))
    }

    fn labelled(&self) -> Part<Vec<Vec<i64>>> {
        let present = self.library.present();
        self.library.part(|connection| {
            let mut statement = connection.prepare(&format!(
                "SELECT s.id, s.label FROM embeddings e JOIN samples s ON s.id = e.sample
                 WHERE e.model = ?1 AND {present} AND s.label IS NOT NULL ORDER BY e.sample"
            ))?;
            let mut labelled = statement.query([self.id])?;
            let mut classes: BTreeMap<String, Vec<i64>> = BTreeMap::new();
            while let Some(row) = labelled.next()? {
                let Ok(label) = row.get_ref(1)?.as_str() else { return Ok(None) };
                match classes.get_mut(label) {
                    Some(ids) => ids.push(row.get(0)?),
                    None => drop(classes.insert(label.to_owned(), vec![row.get(0)?])),
                }
            }
            Ok(Some(classes.into_values().collect()))
        })
    }

    fn looks(&self, ids: &[i64]) -> Part<Looks> {
        let dimension = self.model.config.embedding;
        let (seen, views) = self.library.seen();
        self.library.part(|connection| {
            let mut statement = connection.prepare(&format!(
                "SELECT e.vector, {seen} FROM embeddings e {views} WHERE e.model = ?1 AND e.sample = ?2"
            ))?;
            let mut block = Block::default();
            for id in ids {
                let found = statement
                    .query_row([self.id, *id], |row| {
                        let seen = row.get_ref(1)?.as_blob_or_null().ok().flatten();
                        let vector = row.get_ref(0)?.as_blob().unwrap_or_default();
                        block.push(*id, vector, seen.filter(|_| self.model.views.is_some()));
                        Ok(())
                    })
                    .optional()?;
                if found.is_none() {
                    return Ok(None);
                }
            }
            Ok(block.looks(dimension).filter(|looks| {
                looks.len() == ids.len() && (self.model.views.is_none() || looks.views.len() == ids.len())
            }))
        })
    }

    fn blocks(&self, reporter: &Reporter, take: &mut dyn FnMut(Block) -> bool) -> Result<Option<()>, Stop> {
        self.read_all(&[i64::MIN..=self.last], reporter, take)
    }
}
