//! Receiving what was done while the server could not be reached: once each, however often it is sent. What was done later on the
//! server stays.

use super::add::put_all;
use super::removal::lock;
use super::store::PostgresLibrary;
use crate::library::queue::{Received, ToSend};
use crate::library::receive::Receive;
use crate::library::{EditKind, Engine as _, Import, LibraryError};
use crate::sample::Sha256;
use postgres::Transaction;

impl Receive for PostgresLibrary {
    fn receive(&mut self, sent: &ToSend) -> Result<Received, LibraryError> {
        let (location, makers) = (self.location().clone(), self.makers.clone());
        self.editing(|transaction| {
            // Edits are made one at a time, so no other program receives it now.
            let known = transaction
                .query_opt("SELECT edit FROM lookalike.received WHERE token = $1", &[&&sent.token[..]])?;
            if let Some(row) = known {
                return Ok(Ok(Received { edit: row.get(0), left: 0 }));
            }
            let named: Vec<Sha256> = sent
                .labels
                .iter()
                .map(|(sample, _)| *sample)
                .chain(sent.removals.iter().map(|(sample, _)| *sample))
                .collect();
            let found = lock(transaction, &named)?;
            // A label is given to a sample that is shown. Renaming one is also for removed samples, as is bringing them back.
            let shown_only = sent.kind == EditKind::Label;
            let is_there =
                |sample: &Sha256| found.get(sample).is_some_and(|sample| !(sample.removed && shown_only));
            let gone = named.iter().find(|sample| !is_there(sample));
            if let Some(sha256) = gone {
                return Ok(Err(LibraryError::NoSample { sha256: *sha256, location }));
            }
            let mut received = Received { edit: sent.there, left: 0 };
            if !sent.samples.is_empty() {
                let mut import = Import { source: sent.source.clone(), edit: sent.there };
                put_all(transaction, &sent.samples, &mut import, &makers)?;
                received.edit = import.edit;
            }
            let id = |sample: &Sha256| found.get(sample).map(|sample| sample.id);
            if !sent.labels.is_empty() {
                let labels =
                    sent.labels.iter().filter_map(|(sample, label)| Some((id(sample)?, label.as_deref())));
                give_labels(transaction, sent, labels.unzip(), &mut received)?;
            }
            if !sent.removals.is_empty() {
                let removals =
                    sent.removals.iter().filter_map(|(sample, removed)| Some((id(sample)?, *removed)));
                remove(transaction, sent, removals.unzip(), &mut received)?;
            }
            transaction.execute(
                "INSERT INTO lookalike.received (token, edit) VALUES ($1, $2)",
                &[&&sent.token[..], &received.edit],
            )?;
            Ok(Ok(received))
        })?
    }
}

/// When it was done, in whole seconds: what a clock that is ahead says is not believed. What was done on the server is later if it was in a
/// later second.
const DONE_AT: &str = "least($1::text::timestamptz, now())";

/// Records the edit.
fn begin_edit(transaction: &mut Transaction<'_>, sent: &ToSend) -> Result<i64, postgres::Error> {
    let query =
        format!("INSERT INTO lookalike.edits (at, kind, source) VALUES ({DONE_AT}, $2, $3) RETURNING id");
    Ok(transaction.query_one(&query, &[&sent.at, &sent.kind.name(), &sent.source])?.get(0))
}

/// Gives samples labels. One that was given another label later keeps that, and its history has both.
fn give_labels(
    transaction: &mut Transaction<'_>,
    sent: &ToSend,
    (ids, labels): (Vec<i64>, Vec<Option<&str>>),
    received: &mut Received,
) -> Result<(), postgres::Error> {
    let other: i64 = transaction
        .query_one(
            "SELECT count(*) FROM unnest($1::bigint[], $2::text[]) AS new (id, label)
             JOIN lookalike.samples s ON s.id = new.id WHERE s.label IS DISTINCT FROM new.label",
            &[&ids, &labels],
        )?
        .get(0);
    if other == 0 {
        return Ok(());
    }
    let edit = begin_edit(transaction, sent)?;
    let query = format!(
        "INSERT INTO lookalike.label_changes (edit, sample, before, after, at, source, undone)
         SELECT $2, s.id, s.label, new.label, {DONE_AT}, $3, EXISTS (SELECT 1 FROM lookalike.label_changes c
                 WHERE c.sample = s.id AND NOT c.undone AND date_trunc('second', c.at) > {DONE_AT})
         FROM unnest($4::bigint[], $5::text[]) WITH ORDINALITY AS new (id, label, place)
             JOIN lookalike.samples s ON s.id = new.id
         WHERE s.label IS DISTINCT FROM new.label ORDER BY new.place"
    );
    let changes = transaction.execute(&query, &[&sent.at, &edit, &sent.source, &ids, &labels])?;
    let given = transaction.execute(
        "UPDATE lookalike.samples s SET label = c.after FROM lookalike.label_changes c
         WHERE c.edit = $1 AND c.sample = s.id AND NOT c.undone",
        &[&edit],
    )?;
    *received = Received { edit: Some(edit), left: changes.saturating_sub(given) as usize };
    Ok(())
}

/// Removes samples or brings them back. One that was labelled, removed or brought back later is left alone.
fn remove(
    transaction: &mut Transaction<'_>,
    sent: &ToSend,
    (ids, removed): (Vec<i64>, Vec<bool>),
    received: &mut Received,
) -> Result<(), postgres::Error> {
    let query = format!(
        "SELECT s.id, new.removed, EXISTS (SELECT 1 FROM lookalike.label_changes c
                 WHERE c.sample = s.id AND NOT c.undone AND date_trunc('second', c.at) > {DONE_AT})
             OR EXISTS (SELECT 1 FROM lookalike.removals r JOIN lookalike.edits e ON e.id = r.edit
                 WHERE r.sample = s.id AND NOT r.undone AND date_trunc('second', e.at) > {DONE_AT})
         FROM unnest($2::bigint[], $3::boolean[]) AS new (id, removed)
             JOIN lookalike.samples s ON s.id = new.id
         WHERE s.removed <> new.removed ORDER BY s.id"
    );
    let rows = transaction.query(&query, &[&sent.at, &ids, &removed])?;
    let (later, free): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.get::<_, bool>(2));
    received.left = later.len();
    if free.is_empty() {
        return Ok(());
    }
    let edit = begin_edit(transaction, sent)?;
    let (ids, removed): (Vec<i64>, Vec<bool>) =
        free.iter().map(|row| (row.get::<_, i64>(0), row.get::<_, bool>(1))).unzip();
    transaction.execute(
        "UPDATE lookalike.samples s SET removed = new.removed FROM unnest($1::bigint[], $2::boolean[]) AS new (id, removed)
         WHERE s.id = new.id",
        &[&ids, &removed],
    )?;
    transaction.execute(
        "INSERT INTO lookalike.removals (edit, sample, removed)
         SELECT $1, * FROM unnest($2::bigint[], $3::boolean[])",
        &[&edit, &ids, &removed],
    )?;
    received.edit = Some(edit);
    Ok(())
}
