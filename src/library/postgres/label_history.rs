//! Giving samples of a team's library labels, renaming labels, and listing what was changed.

use super::add::begin_edit;
use super::models::TIME;
use super::removal::lock;
use super::store::{PostgresLibrary, sha256};
use crate::library::{EditKind, Engine as _, LabelChange, LabelHistory, LibraryError, Relabelled, Renamed};
use crate::sample::Sha256;
use postgres::GenericClient;
use postgres::types::ToSql;

impl LabelHistory for PostgresLibrary {
    fn set_labels(
        &mut self,
        samples: &[Sha256],
        label: Option<&str>,
        source: &str,
    ) -> Result<Relabelled, LibraryError> {
        let location = self.location().clone();
        self.editing(|transaction| {
            let found = lock(transaction, samples)?;
            let is_there = |sample: &Sha256| found.get(sample).is_some_and(|sample| !sample.removed);
            if let Some(sha256) = samples.iter().find(|sample| !is_there(sample)) {
                return Ok(Err(LibraryError::NoSample { sha256: *sha256, location }));
            }
            let mut ids: Vec<i64> = Vec::new();
            for sample in samples.iter().filter_map(|sample| found.get(sample)) {
                if sample.label.as_deref() != label && !ids.contains(&sample.id) {
                    ids.push(sample.id);
                }
            }
            if ids.is_empty() {
                return Ok(Ok(Relabelled::default()));
            }
            let edit = begin_edit(transaction, EditKind::Label, source)?;
            transaction.execute(
                "INSERT INTO lookalike.label_changes (edit, sample, before, after, source)
                 SELECT $1, s.id, s.label, $3, $4
                 FROM unnest($2::bigint[]) WITH ORDINALITY AS t (id, at) JOIN lookalike.samples s ON s.id = t.id ORDER BY t.at",
                &[&edit, &ids, &label, &source],
            )?;
            transaction.execute("UPDATE lookalike.samples SET label = $2 WHERE id = ANY($1)", &[&ids, &label])?;
            let changes = changes(transaction, "c.edit = $1", &[&edit])?;
            Ok(Ok(Relabelled { edit: Some(edit), changes }))
        })?
    }

    fn rename_label(&mut self, from: &str, to: &str, source: &str) -> Result<Renamed, LibraryError> {
        self.editing(|transaction| {
            // Locked in one order.
            transaction.execute(
                "SELECT id FROM lookalike.samples WHERE label = $1 ORDER BY id FOR UPDATE",
                &[&from],
            )?;
            let having = transaction
                .prepare("SELECT count(*) FROM lookalike.samples WHERE label = $1 AND NOT removed")?;
            let mut count = |label: &str| {
                transaction.query_one(&having, &[&label]).map(|row| row.get::<_, i64>(0) as usize)
            };
            let renamed = Renamed { edit: None, samples: count(from)?, merged_with: count(to)? };
            if renamed.samples == 0 || from == to {
                return Ok(Renamed::default());
            }
            let kind = if renamed.merged_with == 0 { EditKind::Rename } else { EditKind::Merge };
            let edit = begin_edit(transaction, kind, source)?;
            transaction.execute(
                "INSERT INTO lookalike.label_changes (edit, sample, before, after, source)
                 SELECT $1, id, $2, $3, $4 FROM lookalike.samples WHERE label = $2 ORDER BY id",
                &[&edit, &from, &to, &source],
            )?;
            transaction.execute("UPDATE lookalike.samples SET label = $2 WHERE label = $1", &[&from, &to])?;
            Ok(Renamed { edit: Some(edit), ..renamed })
        })
    }

    fn label_history(&self, of: Option<Sha256>) -> Result<Vec<LabelChange>, LibraryError> {
        self.reading(|client| match of {
            None => changes(client, "true", &[]),
            Some(sha256) => changes(client, "s.sha256 = $1", &[&&sha256.0[..]]),
        })
    }
}

/// The changes that the condition `which` selects, oldest first.
fn changes(
    client: &mut impl GenericClient,
    which: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<LabelChange>, postgres::Error> {
    let query = format!(
        "SELECT c.id, s.sha256, c.before, c.after, to_char(c.at AT TIME ZONE 'UTC', {TIME}), c.who, c.source, c.undone, c.edit
         FROM lookalike.label_changes c JOIN lookalike.samples s ON s.id = c.sample WHERE {which} ORDER BY c.id"
    );
    let rows = client.query(&query, parameters)?;
    let change = |row: &postgres::Row| {
        Some(LabelChange {
            id: row.get(0),
            sha256: sha256(row, 1)?,
            before: row.get(2),
            after: row.get(3),
            at: row.get(4),
            who: row.get(5),
            source: row.get(6),
            undone: row.get(7),
            edit: Some(row.get(8)),
        })
    };
    Ok(rows.iter().filter_map(change).collect())
}
