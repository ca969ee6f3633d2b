//! Removing samples from a team's library, and bringing them back.

use super::add::begin_edit;
use super::store::{PostgresLibrary, sha256};
use crate::library::{EditKind, Engine as _, LibraryError, RemoveSamples};
use crate::sample::Sha256;
use postgres::Transaction;
use std::collections::HashMap;

impl RemoveSamples for PostgresLibrary {
    fn remove(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.set_removed(samples, true, source)
    }

    fn restore(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.set_removed(samples, false, source)
    }
}

/// A sample that an edit is about.
#[derive(Clone)]
pub struct Locked {
    /// Its row id.
    pub id: i64,
    /// Its label.
    pub label: Option<String>,
    /// Whether it is removed.
    pub removed: bool,
}

impl PostgresLibrary {
    fn set_removed(
        &mut self,
        samples: &[Sha256],
        to: bool,
        source: &str,
    ) -> Result<Option<i64>, LibraryError> {
        let location = self.location().clone();
        self.editing(|transaction| {
            let found = lock(transaction, samples)?;
            if let Some(sha256) = samples.iter().find(|sample| !found.contains_key(sample)) {
                return Ok(Err(LibraryError::NoSample { sha256: *sha256, location }));
            }
            let mut ids: Vec<i64> = Vec::new();
            for sample in samples.iter().filter_map(|sample| found.get(sample)) {
                if sample.removed != to && !ids.contains(&sample.id) {
                    ids.push(sample.id);
                }
            }
            if ids.is_empty() {
                return Ok(Ok(None));
            }
            let kind = if to { EditKind::Remove } else { EditKind::Restore };
            let edit = begin_edit(transaction, kind, source)?;
            transaction.execute("UPDATE lookalike.samples SET removed = $2 WHERE id = ANY($1)", &[&ids, &to])?;
            transaction.execute(
                "INSERT INTO lookalike.removals (edit, sample, removed) SELECT $1, id, $3 FROM unnest($2::bigint[]) AS t (id)",
                &[&edit, &ids, &to],
            )?;
            Ok(Ok(Some(edit)))
        })?
    }
}

/// The samples with these hashes, locked in one order.
pub fn lock(
    transaction: &mut Transaction<'_>,
    samples: &[Sha256],
) -> Result<HashMap<Sha256, Locked>, postgres::Error> {
    let hashes: Vec<&[u8]> = samples.iter().map(|sample| &sample.0[..]).collect();
    let rows = transaction.query(
        "SELECT id, sha256, label, removed FROM lookalike.samples WHERE sha256 = ANY($1) ORDER BY id FOR UPDATE",
        &[&hashes],
    )?;
    let locked = |row: &postgres::Row| {
        Some((sha256(row, 1)?, Locked { id: row.get(0), label: row.get(2), removed: row.get(3) }))
    };
    Ok(rows.iter().filter_map(locked).collect())
}
