//! The models of a library: it keeps every model that embedded samples of it, and one of them is current.

use super::SqliteLibrary;
use super::schema::model_names;
use super::store::current_model;
use crate::library::models::stored_config;
use crate::library::{Adopt, Adopted, Engine as _, LibraryError, Models, StoredModel, model_name};
use crate::model::{Model, is_base_model};
use crate::sample::Sha256;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use std::collections::HashMap;
use std::path::PathBuf;

impl Models for SqliteLibrary {
    fn add_model(&mut self, model: &Model, from: &str) -> Result<(), LibraryError> {
        self.changing(|transaction| put_model(transaction, model, from).map(drop))
    }

    fn models(&self) -> Result<Vec<StoredModel>, LibraryError> {
        let name = if self.has_edits() { "m.name" } else { "NULL" };
        let query = format!(
            "SELECT m.sha256, {name}, m.added, m.bytes, EXISTS (SELECT 1 FROM current_model c WHERE c.model = m.id),
                 (SELECT count(*) FROM embeddings e JOIN samples s ON s.id = e.sample WHERE e.model = m.id AND {})
             FROM models m ORDER BY m.id",
            self.present()
        );
        self.sqlite(|c| {
            c.prepare(&query)?
                .query_map([], |row| {
                    let hash = Sha256(row.get(0)?);
                    Ok(StoredModel {
                        hash,
                        name: row.get::<_, Option<String>>(1)?.unwrap_or_else(|| hash.short()),
                        added: row.get(2)?,
                        config: row
                            .get_ref(3)?
                            .as_blob()
                            .map_err(|error| error.to_string())
                            .and_then(|bytes| stored_config(bytes, bytes.len())),
                        current: row.get(4)?,
                        embedded: row.get::<_, i64>(5)? as usize,
                        base: is_base_model(hash),
                    })
                })?
                .collect()
        })
    }

    fn model(&self) -> Result<Option<Model>, LibraryError> {
        Ok(self.current_model()?.map(|(_, model)| model))
    }

    fn stored_model(&self, hash: Sha256) -> Result<Model, LibraryError> {
        let found = self.sqlite(|c| {
            c.query_row("SELECT bytes FROM models WHERE sha256 = ?1", [&hash.0[..]], |row| {
                row.get::<_, Vec<u8>>(0)
            })
            .optional()
        })?;
        let bytes = found.ok_or_else(|| self.no_such_model(hash))?;
        Ok(Model::from_bytes(bytes)?)
    }

    fn is_current_model(&self, hash: Sha256) -> Result<bool, LibraryError> {
        self.sqlite(|c| Ok(current_model(c)?.is_some_and(|current| current == hash.0)))
    }

    fn adopt(&mut self, hash: Sha256, when: Adopt) -> Result<Adopted, LibraryError> {
        let missing = self.no_such_model(hash);
        self.changing(|transaction| {
            let Some(id) = model_id(transaction, hash)? else { return Ok(None) };
            let mut count = transaction.prepare(
                "SELECT count(*) FROM samples s WHERE NOT s.removed
                     AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.model = ?1 AND e.sample = s.id)",
            )?;
            let mut lacking_of =
                |id: i64| count.query_row([id], |row| row.get::<_, i64>(0)).map(|n| n as usize);
            let lacking = lacking_of(id)?;
            let current = current_model(transaction)?;
            let is_current = current.as_deref() == Some(&hash.0[..]);
            let in_use = is_current || current.is_none() || lacking == 0 || when == Adopt::Always;
            if in_use && !is_current {
                transaction.execute(
                    "INSERT INTO current_model (only, model) VALUES (1, ?1)
                     ON CONFLICT DO UPDATE SET model = excluded.model",
                    [id],
                )?;
            }
            let hidden = match in_use {
                true => lacking,
                false => {
                    lacking_of(
                        transaction.query_row("SELECT model FROM current_model", [], |row| row.get(0))?,
                    )?
                }
            };
            Ok(Some(Adopted { in_use, lacking, hidden }))
        })?
        .ok_or(missing)
    }

    fn rename_model(&mut self, hash: Sha256, name: &str) -> Result<(), LibraryError> {
        let missing = self.no_such_model(hash);
        let (location, name) = (self.location().clone(), name.trim());
        self.changing(|transaction| {
            let Some(id) = model_id(transaction, hash)? else { return Ok(Err(missing)) };
            let taken = transaction.query_row(
                "SELECT count(*) > 0 FROM models WHERE lower(name) = lower(?1) AND id <> ?2",
                params![name, id],
                |row| row.get::<_, bool>(0),
            )?;
            if taken || name.is_empty() {
                return Ok(Err(LibraryError::ModelName { name: name.to_owned(), location }));
            }
            transaction.execute("UPDATE models SET name = ?2 WHERE id = ?1", params![id, name])?;
            Ok(Ok(()))
        })?
    }

    fn lacking(&self, hash: Sha256) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.samples_where(
            "NOT EXISTS (SELECT 1 FROM embeddings e JOIN models m ON m.id = e.model
                 WHERE m.sha256 = ?1 AND e.sample = s.id)",
            vec![Value::Blob(hash.0.to_vec())],
        )
    }

    fn lacks(&self, hash: Sha256, samples: &[Sha256]) -> Result<Vec<bool>, LibraryError> {
        self.sqlite(|c| {
            let mut embedded = c.prepare(
                "SELECT EXISTS (SELECT 1 FROM embeddings e WHERE e.model = (SELECT id FROM models WHERE sha256 = ?1)
                     AND e.sample = (SELECT id FROM samples WHERE sha256 = ?2))",
            )?;
            let lacks = |sha256: &Sha256| {
                embedded.query_row([&hash.0[..], &sha256.0[..]], |row| row.get::<_, bool>(0)).map(|there| !there)
            };
            samples.iter().map(lacks).collect()
        })
    }
}

impl SqliteLibrary {
    fn no_such_model(&self, hash: Sha256) -> LibraryError {
        LibraryError::NoSuchModel { model: hash.to_string(), location: self.location().clone() }
    }
}

/// The row ids of all models.
pub fn model_ids(connection: &Connection) -> rusqlite::Result<HashMap<Sha256, i64>> {
    connection
        .prepare("SELECT sha256, id FROM models ORDER BY id")?
        .query_map([], |row| Ok((Sha256(row.get(0)?), row.get(1)?)))?
        .collect()
}

/// Stores `model` if it is new, makes it the current one if there is none, and returns its row id.
pub fn put_model(transaction: &Transaction<'_>, model: &Model, from: &str) -> rusqlite::Result<i64> {
    let hash: Sha256 = model.hash;
    let known = transaction
        .query_row("SELECT id FROM models WHERE sha256 = ?1", [&hash.0[..]], |row| row.get::<_, i64>(0))
        .optional()?;
    let id = match known {
        Some(id) => id,
        None => {
            let name = model_name(hash, from, &model_names(transaction)?);
            transaction.execute(
                "INSERT INTO models (sha256, bytes, name) VALUES (?1, ?2, ?3)",
                params![&hash.0[..], model.bytes, name],
            )?;
            transaction.last_insert_rowid()
        }
    };
    if current_model(transaction)?.is_none() {
        transaction.execute("INSERT INTO current_model (only, model) VALUES (1, ?1)", [id])?;
    }
    Ok(id)
}

fn model_id(connection: &Connection, hash: Sha256) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row("SELECT id FROM models WHERE sha256 = ?1", [&hash.0[..]], |row| row.get(0))
        .optional()
}
