//! The edits of a team's library: listing them, undoing and redoing them.

use super::models::TIME;
use super::store::{PostgresLibrary, sha256};
use crate::library::edits::KINDS;
use crate::library::{Edit, EditKind, Edits, Engine as _, LibraryError, Reverted, Turn};
use crate::sample::Sha256;
use postgres::types::{FromSqlOwned, ToSql};
use postgres::{GenericClient, Row, Transaction};
use std::collections::BTreeSet;

impl Edits for PostgresLibrary {
    fn edits(&self, limit: usize) -> Result<Vec<Edit>, LibraryError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.reading(|client| read_edits(client, "true ORDER BY id DESC LIMIT $1", &[&limit]))
    }

    fn edit(&self, id: i64) -> Result<Edit, LibraryError> {
        let found = self.reading(|client| read_edits(client, "id = $1", &[&id]))?.pop();
        found.ok_or_else(|| LibraryError::NoEdit { id, location: self.location().clone() })
    }

    fn latest(&self, turn: Turn) -> Result<Option<i64>, LibraryError> {
        let which = match turn {
            Turn::Undo => "undone = 0 AND kind <> 'import' ORDER BY id DESC",
            Turn::Redo => "undone > 0 ORDER BY undone DESC, id",
        };
        let query = format!("SELECT id FROM lookalike.edits WHERE {which} LIMIT 1");
        Ok(self.reading(|client| client.query_opt(&query, &[]))?.map(|row| row.get(0)))
    }

    fn turn(&mut self, id: i64, turn: Turn) -> Result<Reverted, LibraryError> {
        let location = self.location().clone();
        self.editing(|transaction| {
            let Some(edit) = read_edits(transaction, "id = $1", &[&id])?.pop() else { return Ok(None) };
            // Locked in one order.
            transaction.execute(
                "SELECT s.id FROM lookalike.samples s WHERE s.id IN
                     (SELECT sample FROM lookalike.label_changes WHERE edit = $1
                      UNION SELECT sample FROM lookalike.removals WHERE edit = $1)
                 ORDER BY s.id FOR UPDATE",
                &[&id],
            )?;
            let mut left = BTreeSet::new();
            let mut done =
                Reverted { edit, labels: Vec::new(), removed: Vec::new(), restored: Vec::new(), left: 0 };
            turn_labels(transaction, turn, &mut done, &mut left)?;
            turn_removals(transaction, turn, &mut done, &mut left)?;
            done.left = left.len();
            if !done.is_empty() {
                let undone = match turn {
                    Turn::Undo => "(SELECT max(undone) + 1 FROM lookalike.edits)",
                    Turn::Redo => "0",
                };
                let query = format!("UPDATE lookalike.edits SET undone = {undone} WHERE id = $1");
                transaction.execute(&query, &[&id])?;
                done.edit.undone = turn == Turn::Undo;
            }
            Ok(Some(done))
        })?
        .ok_or(LibraryError::NoEdit { id, location })
    }
}

/// The changes of an edit that are turned, in columns, and what their samples have then: labels, or whether they are removed.
struct Turned<T> {
    changes: Vec<i64>,
    samples: Vec<i64>,
    to: Vec<T>,
    now: Vec<(Sha256, T)>,
}

impl<T: FromSqlOwned + Clone> Turned<T> {
    /// Sorts changes, each with its sample, the sample's hash, what the sample gets, and whether nothing changed it after the edit.
    /// Samples that were changed go to `left`.
    fn of(changes: &[Row], left: &mut BTreeSet<i64>) -> Self {
        let mut turned = Self { changes: Vec::new(), samples: Vec::new(), to: Vec::new(), now: Vec::new() };
        for change in changes {
            let (sample, to, free): (i64, T, bool) = (change.get(1), change.get(3), change.get(4));
            if !free {
                left.insert(sample);
                continue;
            }
            turned.changes.push(change.get(0));
            turned.samples.push(sample);
            turned.now.extend(sha256(change, 2).map(|sha256| (sha256, to.clone())));
            turned.to.push(to);
        }
        turned
    }
}

fn turn_labels(
    transaction: &mut Transaction<'_>,
    turn: Turn,
    done: &mut Reverted,
    left: &mut BTreeSet<i64>,
) -> Result<(), postgres::Error> {
    let (from, to) = match turn {
        Turn::Undo => ("after", "before"),
        Turn::Redo => ("before", "after"),
    };
    let query = format!(
        "SELECT c.id, c.sample, s.sha256, c.{to}, s.label IS NOT DISTINCT FROM c.{from} AND NOT EXISTS
             (SELECT 1 FROM lookalike.label_changes l WHERE l.sample = c.sample AND l.id > c.id AND NOT l.undone)
         FROM lookalike.label_changes c JOIN lookalike.samples s ON s.id = c.sample
         WHERE c.edit = $1 AND c.undone = $2 ORDER BY c.id"
    );
    let changes = transaction.query(&query, &[&done.edit.id, &(turn == Turn::Redo)])?;
    let turned = Turned::<Option<String>>::of(&changes, left);
    done.labels = turned.now;
    transaction.execute(
        "UPDATE lookalike.samples s SET label = new.label FROM unnest($1::bigint[], $2::text[]) AS new (id, label)
         WHERE s.id = new.id",
        &[&turned.samples, &turned.to],
    )?;
    transaction
        .execute(
            "UPDATE lookalike.label_changes SET undone = $2 WHERE id = ANY($1)",
            &[&turned.changes, &(turn == Turn::Undo)],
        )
        .map(drop)
}

fn turn_removals(
    transaction: &mut Transaction<'_>,
    turn: Turn,
    done: &mut Reverted,
    left: &mut BTreeSet<i64>,
) -> Result<(), postgres::Error> {
    let changes = transaction.query(
        "SELECT c.id, c.sample, s.sha256, c.removed <> $2, s.removed = (c.removed <> $3) AND NOT EXISTS
             (SELECT 1 FROM lookalike.removals l WHERE l.sample = c.sample AND l.id > c.id AND NOT l.undone)
             AND NOT EXISTS
             (SELECT 1 FROM lookalike.label_changes l WHERE l.sample = c.sample AND l.edit > c.edit AND NOT l.undone)
         FROM lookalike.removals c JOIN lookalike.samples s ON s.id = c.sample
         WHERE c.edit = $1 AND c.undone = $3 ORDER BY c.id",
        &[&done.edit.id, &(turn == Turn::Undo), &(turn == Turn::Redo)],
    )?;
    let turned = Turned::<bool>::of(&changes, left);
    for (sha256, removed) in turned.now {
        if removed { &mut done.removed } else { &mut done.restored }.push(sha256);
    }
    transaction.execute(
        "UPDATE lookalike.samples s SET removed = new.removed FROM unnest($1::bigint[], $2::boolean[]) AS new (id, removed)
         WHERE s.id = new.id",
        &[&turned.samples, &turned.to],
    )?;
    transaction
        .execute(
            "UPDATE lookalike.removals SET undone = $2 WHERE id = ANY($1)",
            &[&turned.changes, &(turn == Turn::Undo)],
        )
        .map(drop)
}

/// The edits that the condition `which` selects, in its order. Those of a kind that this program does not write are left out.
fn read_edits(
    client: &mut impl GenericClient,
    which: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Edit>, postgres::Error> {
    let query = format!(
        "SELECT id, kind, to_char(at AT TIME ZONE 'UTC', {TIME}), who, source, undone
         FROM lookalike.edits WHERE {which}"
    );
    let mut edits = Vec::new();
    for row in client.query(&query, parameters)? {
        let name: &str = row.get(1);
        let Some((kind, _)) = KINDS.iter().find(|(_, known)| *known == name) else { continue };
        let mut edit = Edit {
            id: row.get(0),
            kind: *kind,
            at: row.get(2),
            who: row.get(3),
            source: row.get(4),
            undone: row.get::<_, i64>(5) != 0,
            labels: Vec::new(),
            from: None,
            removed: 0,
            added: 0,
        };
        add_changes(client, &mut edit)?;
        edits.push(edit);
    }
    Ok(edits)
}

fn add_changes(client: &mut impl GenericClient, edit: &mut Edit) -> Result<(), postgres::Error> {
    let given = client.query(
        "SELECT after, count(*) FROM lookalike.label_changes WHERE edit = $1 GROUP BY after ORDER BY count(*) DESC, after COLLATE \"C\"",
        &[&edit.id],
    )?;
    edit.labels = given.iter().map(|row| (row.get(0), row.get::<_, i64>(1) as usize)).collect();
    if matches!(edit.kind, EditKind::Rename | EditKind::Merge) {
        let before = client
            .query_opt("SELECT before FROM lookalike.label_changes WHERE edit = $1 LIMIT 1", &[&edit.id])?;
        edit.from = before.and_then(|row| row.get(0));
    }
    let counted = client.query_one(
        "SELECT count(*) FILTER (WHERE removed), count(*) FILTER (WHERE NOT removed) FROM lookalike.removals WHERE edit = $1",
        &[&edit.id],
    )?;
    (edit.removed, edit.added) = (counted.get::<_, i64>(0) as usize, counted.get::<_, i64>(1) as usize);
    Ok(())
}
