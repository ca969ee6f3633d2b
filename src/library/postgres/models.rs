//! The models of a team's library.

use super::store::{PostgresLibrary, sha256};
use crate::library::models::stored_config;
use crate::library::{Adopt, Adopted, Engine as _, LibraryError, Models, StoredModel, model_name};
use crate::model::{Model, header_end, is_base_model};
use crate::sample::Sha256;
use postgres::{Client, GenericClient, Row, Transaction};
use std::collections::HashMap;
use std::path::PathBuf;

/// A time as RFC 3339 in UTC.
pub const TIME: &str = r#"'YYYY-MM-DD"T"HH24:MI:SS"Z"'"#;
/// How much of a model file is read for its configuration at first: nearly always enough, and little beside the weights.
const FRONT: i32 = 1 << 16;
/// What storing a model locks, so that two get no equal name.
const NAMING: i64 = 0x4c4b_4d4f;

impl Models for PostgresLibrary {
    fn add_model(&mut self, model: &Model, from: &str) -> Result<(), LibraryError> {
        self.changing(|transaction| put_model(transaction, model, from).map(drop))
    }

    fn models(&self) -> Result<Vec<StoredModel>, LibraryError> {
        let query = format!(
            "SELECT m.sha256, m.name, to_char(m.added AT TIME ZONE 'UTC', {TIME}),
                 substring(m.bytes FROM 1 FOR $1), octet_length(m.bytes),
                 EXISTS (SELECT 1 FROM lookalike.current_model c WHERE c.model = m.id),
                 (SELECT count(*) FROM lookalike.looks l JOIN lookalike.samples s ON s.id = l.sample
                  WHERE l.model = m.id AND NOT s.removed)
             FROM lookalike.models m ORDER BY m.id"
        );
        self.reading(|client| {
            let rows = client.query(&query, &[&FRONT])?;
            rows.iter().filter_map(|row| read_model(client, row).transpose()).collect()
        })
    }

    fn model(&self) -> Result<Option<Model>, LibraryError> {
        Ok(self.current_model()?.map(|(_, model)| model))
    }

    fn stored_model(&self, hash: Sha256) -> Result<Model, LibraryError> {
        let found = self.reading(|client| {
            client.query_opt("SELECT bytes FROM lookalike.models WHERE sha256 = $1", &[&&hash.0[..]])
        })?;
        let row = found.ok_or_else(|| self.no_such_model(hash))?;
        Ok(Model::from_bytes(row.get(0))?)
    }

    fn is_current_model(&self, hash: Sha256) -> Result<bool, LibraryError> {
        let found = self.reading(|client| {
            client.query_opt(
                "SELECT m.sha256 FROM lookalike.models m JOIN lookalike.current_model c ON c.model = m.id",
                &[],
            )
        })?;
        Ok(found.is_some_and(|row| sha256(&row, 0) == Some(hash)))
    }

    fn adopt(&mut self, hash: Sha256, when: Adopt) -> Result<Adopted, LibraryError> {
        let missing = self.no_such_model(hash);
        self.editing(|transaction| {
            let Some(id) = model_id(transaction, hash)? else { return Ok(None) };
            let count = transaction.prepare(
                "SELECT count(*) FROM lookalike.samples s WHERE NOT s.removed
                     AND NOT EXISTS (SELECT 1 FROM lookalike.looks l WHERE l.model = $1 AND l.sample = s.id)",
            )?;
            let lacking_of = |transaction: &mut Transaction<'_>, id: i64| {
                transaction.query_one(&count, &[&id]).map(|row| row.get::<_, i64>(0) as usize)
            };
            let lacking = lacking_of(transaction, id)?;
            let current: Option<i64> = transaction
                .query_opt("SELECT model FROM lookalike.current_model", &[])?
                .map(|row| row.get(0));
            // A contributor adds models, and a curator chooses one: that one has embedded all is no reason to fail.
            let may_choose: bool = transaction
                .query_one("SELECT has_table_privilege('lookalike.current_model', 'UPDATE')", &[])?
                .get(0);
            let in_use = current.is_none_or(|current| current == id)
                || lacking == 0 && may_choose
                || when == Adopt::Always;
            if in_use && current != Some(id) {
                set_current(transaction, id)?;
            }
            let hidden = match current {
                Some(current) if !in_use => lacking_of(transaction, current)?,
                _ => lacking,
            };
            Ok(Some(Adopted { in_use, lacking, hidden }))
        })?
        .ok_or(missing)
    }

    fn rename_model(&mut self, hash: Sha256, name: &str) -> Result<(), LibraryError> {
        let missing = self.no_such_model(hash);
        let (location, name) = (self.location().clone(), name.trim());
        self.editing(|transaction| {
            let Some(id) = model_id(transaction, hash)? else { return Ok(Err(missing)) };
            let taken: bool = transaction
                .query_one(
                    "SELECT count(*) > 0 FROM lookalike.models WHERE lower(name) = lower($1) AND id <> $2",
                    &[&name, &id],
                )?
                .get(0);
            if taken || name.is_empty() {
                return Ok(Err(LibraryError::ModelName { name: name.to_owned(), location }));
            }
            transaction.execute("UPDATE lookalike.models SET name = $2 WHERE id = $1", &[&id, &name])?;
            Ok(Ok(()))
        })?
    }

    fn lacking(&self, hash: Sha256) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.samples_where(
            "NOT EXISTS (SELECT 1 FROM lookalike.looks l JOIN lookalike.models m ON m.id = l.model
                 WHERE m.sha256 = $1 AND l.sample = s.id)",
            &[&&hash.0[..]],
        )
    }

    fn lacks(&self, hash: Sha256, samples: &[Sha256]) -> Result<Vec<bool>, LibraryError> {
        let hashes: Vec<&[u8]> = samples.iter().map(|sample| &sample.0[..]).collect();
        let rows = self.reading(|client| {
            client.query(
                "SELECT NOT EXISTS (SELECT 1 FROM lookalike.looks l JOIN lookalike.models m ON m.id = l.model
                     JOIN lookalike.samples s ON s.id = l.sample WHERE m.sha256 = $1 AND s.sha256 = asked.sha256)
                 FROM unnest($2::bytea[]) WITH ORDINALITY AS asked (sha256, at) ORDER BY asked.at",
                &[&&hash.0[..], &hashes],
            )
        })?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

impl PostgresLibrary {
    fn no_such_model(&self, hash: Sha256) -> LibraryError {
        LibraryError::NoSuchModel { model: hash.to_string(), location: self.location().clone() }
    }
}

/// A model as [`Models::models`] selects it; `None` if its hash is not one.
fn read_model(client: &mut Client, row: &Row) -> Result<Option<StoredModel>, postgres::Error> {
    let Some(hash) = sha256(row, 0) else { return Ok(None) };
    let (mut front, length): (Vec<u8>, i32) = (row.get(3), row.get(4));
    let length = usize::try_from(length).unwrap_or_default();
    if let Ok(end) = header_end(&front)
        && front.len() < end
        && end <= length
    {
        let row = client.query_one(
            "SELECT substring(bytes FROM 1 FOR $2) FROM lookalike.models WHERE sha256 = $1",
            &[&&hash.0[..], &i32::try_from(end).unwrap_or(i32::MAX)],
        )?;
        front = row.get(0);
    }
    Ok(Some(StoredModel {
        hash,
        name: row.get(1),
        added: row.get(2),
        config: stored_config(&front, length),
        current: row.get(5),
        embedded: row.get::<_, i64>(6) as usize,
        base: is_base_model(hash),
    }))
}

/// Stores `model` if it is new, makes it the current one if there is none, and returns its row id.
pub fn put_model(
    transaction: &mut Transaction<'_>,
    model: &Model,
    from: &str,
) -> Result<i64, postgres::Error> {
    let known = model_id(transaction, model.hash)?;
    let id = match known {
        Some(id) => id,
        None => store_model(transaction, model, from)?,
    };
    let none_in_use: bool =
        transaction.query_one("SELECT NOT EXISTS (SELECT 1 FROM lookalike.current_model)", &[])?.get(0);
    if none_in_use {
        transaction.execute(
            "INSERT INTO lookalike.current_model (model) VALUES ($1) ON CONFLICT DO NOTHING",
            &[&id],
        )?;
    }
    Ok(id)
}

fn store_model(transaction: &mut Transaction<'_>, model: &Model, from: &str) -> Result<i64, postgres::Error> {
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&NAMING])?;
    // Another program may have stored it meanwhile.
    if let Some(id) = model_id(transaction, model.hash)? {
        return Ok(id);
    }
    let names: Vec<String> =
        transaction.query("SELECT name FROM lookalike.models", &[])?.iter().map(|row| row.get(0)).collect();
    let row = transaction.query_one(
        "INSERT INTO lookalike.models (sha256, bytes, name) VALUES ($1, $2, $3) RETURNING id",
        &[&&model.hash.0[..], &model.bytes, &model_name(model.hash, from, &names)],
    )?;
    Ok(row.get(0))
}

fn set_current(transaction: &mut Transaction<'_>, id: i64) -> Result<(), postgres::Error> {
    let query = "INSERT INTO lookalike.current_model (model) VALUES ($1) ON CONFLICT (one) DO UPDATE SET model = excluded.model";
    transaction.execute(query, &[&id]).map(drop)
}

fn model_id(transaction: &mut Transaction<'_>, hash: Sha256) -> Result<Option<i64>, postgres::Error> {
    let found =
        transaction.query_opt("SELECT id FROM lookalike.models WHERE sha256 = $1", &[&&hash.0[..]])?;
    Ok(found.map(|row| row.get(0)))
}

/// The row ids of all models.
pub fn model_ids(client: &mut impl GenericClient) -> Result<HashMap<Sha256, i64>, postgres::Error> {
    let rows = client.query("SELECT sha256, id FROM lookalike.models", &[])?;
    Ok(rows.iter().filter_map(|row| Some((sha256(row, 0)?, row.get(1)))).collect())
}
