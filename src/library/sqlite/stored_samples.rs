//! The samples of a library file.

use super::read_contents::Extent;
use super::store::{SqliteLibrary, current_model};
use crate::library::{Contents, LibraryError, StoredSamples};
use crate::sample::Sha256;
use rusqlite::{OptionalExtension as _, params};
use std::path::PathBuf;

impl StoredSamples for SqliteLibrary {
    fn labels(&self) -> Result<Vec<(Sha256, Option<String>)>, LibraryError> {
        self.sqlite(|c| {
            c.prepare(&format!("SELECT s.sha256, s.label FROM samples s WHERE {}", self.present()))?
                .query_map([], |row| Ok((Sha256(row.get(0)?), row.get(1)?)))?
                .collect()
        })
    }

    fn samples(&self) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.samples_where("1", Vec::new())
    }

    fn sample_count(&self) -> Result<usize, LibraryError> {
        let query = format!("SELECT count(*) FROM samples s WHERE {}", self.present());
        self.sqlite(|c| c.query_row(&query, [], |row| row.get::<_, i64>(0))).map(|count| count as usize)
    }

    fn contents(&self) -> Result<Contents, LibraryError> {
        self.read_contents(Extent::Whole)
    }

    fn outline(&self) -> Result<Contents, LibraryError> {
        self.read_contents(Extent::Outline)
    }

    fn put_places(&mut self, contents: &Contents, places: &[[f32; 2]]) -> Result<bool, LibraryError> {
        self.changing(|transaction| {
            let embedded: i64 = transaction.query_row(
                "SELECT count(*) FROM embeddings e JOIN samples s ON s.id = e.sample
                 WHERE e.model = (SELECT model FROM current_model) AND NOT s.removed",
                [],
                |row| row.get(0),
            )?;
            let model = contents.model_hash().map(|hash| hash.0.to_vec());
            if current_model(transaction)? != model || embedded != contents.len() as i64 {
                return Ok(false);
            }
            transaction.execute("DELETE FROM places WHERE model = (SELECT model FROM current_model)", [])?;
            let mut insert = transaction.prepare(
                "INSERT INTO places (model, sample, x, y) SELECT model, ?1, ?2, ?3 FROM current_model",
            )?;
            for (entry, [x, y]) in contents.iter().zip(places) {
                insert.execute(params![entry.id, f64::from(*x), f64::from(*y)])?;
            }
            Ok(true)
        })
    }

    fn thumbnail(&self, id: i64) -> Result<Option<Vec<u8>>, LibraryError> {
        self.sqlite(|c| {
            c.query_row("SELECT rgb FROM thumbnails WHERE sample = ?1", [id], |row| row.get(0)).optional()
        })
    }
}
