//! The queue of a copy: what was changed while the server could not be reached. It says which edits; what is sent is read from them, so
//! one that was undone sends nothing.

use super::SqliteLibrary;
use crate::library::edits::KINDS;
use crate::library::queue::{Received, ToSend, Waiting};
use crate::library::{EditKind, LibraryError, Turn};
use crate::sample::Sha256;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// The entries `q` of which something is left: an edit, or samples whose adding, was not undone.
const LEFT: &str = "(EXISTS (SELECT 1 FROM queued_samples a WHERE a.entry = q.id AND NOT EXISTS
        (SELECT 1 FROM removals r WHERE r.edit = q.edit AND r.sample = a.sample AND NOT r.removed AND r.undone))
    OR NOT EXISTS (SELECT 1 FROM queued_samples a WHERE a.entry = q.id)
        AND (EXISTS (SELECT 1 FROM label_changes c WHERE c.edit = q.edit AND NOT c.undone)
            OR EXISTS (SELECT 1 FROM removals r WHERE r.edit = q.edit AND NOT r.undone)))";

/// The edits `e` that can still be undone or redone without the server: nothing of them was sent.
pub const HERE: &str = "EXISTS (SELECT 1 FROM queue q WHERE q.edit = e.id)
    AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.edit = e.id AND q.sent)
    AND NOT EXISTS (SELECT 1 FROM taken_edits t WHERE t.edit = e.id)";

impl SqliteLibrary {
    /// Queues what is changed from now on.
    pub fn queueing(mut self) -> Self {
        self.queueing = true;
        self
    }

    /// Whether anything is in the queue, also what was undone.
    pub fn has_queue(&self) -> Result<bool, LibraryError> {
        self.sqlite(|c| c.query_row("SELECT EXISTS (SELECT 1 FROM queue)", [], |row| row.get(0)))
    }

    /// What tells one state of the queue from another.
    pub fn queue_state(&self) -> Result<(i64, i64), LibraryError> {
        self.sqlite(queue_state)
    }

    /// What waits, the earliest first.
    pub fn waiting(&self) -> Result<Vec<Waiting>, LibraryError> {
        let query = format!(
            "SELECT q.edit, e.at, e.kind, q.refused, (SELECT count(*) FROM queued_samples a WHERE a.entry = q.id),
                 (SELECT count(DISTINCT sample) FROM label_changes c WHERE c.edit = q.edit AND NOT c.undone),
                 (SELECT count(*) FROM removals r WHERE r.edit = q.edit AND NOT r.undone)
             FROM queue q LEFT JOIN edits e ON e.id = q.edit WHERE {LEFT} ORDER BY q.id"
        );
        self.sqlite(|c| {
            c.prepare(&query)?
                .query_map([], |row| {
                    let kind: Option<String> = row.get(2)?;
                    let [added, labelled, removed] = [row.get::<_, i64>(4)?, row.get(5)?, row.get(6)?];
                    Ok(Waiting {
                        edit: row.get::<_, Option<i64>>(0)?.map(|id| -id),
                        at: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                        kind: kind.as_deref().and_then(kind_of),
                        samples: if added > 0 { added } else { labelled.max(removed) } as usize,
                        refused: row.get(3)?,
                    })
                })?
                .collect()
        })
    }

    /// What is sent after the entry `last`. It counts as sent from now on: whether the server has it is not known until it says so.
    pub fn next_to_send(&mut self, last: i64) -> Result<Option<ToSend>, LibraryError> {
        let Some((mut sent, ids)) = self.changing(|transaction| {
            let entry = transaction
                .query_row(
                    "SELECT q.id, q.token, q.edit, e.kind, e.at, e.source, t.there FROM queue q
                     LEFT JOIN edits e ON e.id = q.edit LEFT JOIN taken_edits t ON t.edit = q.edit
                     WHERE q.id > ?1 ORDER BY q.id LIMIT 1",
                    [last],
                    entry,
                )
                .optional()?;
            let Some(mut sent) = entry else { return Ok(None) };
            transaction.execute("UPDATE queue SET sent = 1 WHERE id = ?1", [sent.entry])?;
            let ids: Vec<i64> = transaction
                .prepare("SELECT sample FROM queued_samples a WHERE entry = ?1 AND NOT EXISTS
                     (SELECT 1 FROM removals r WHERE r.edit = ?2 AND r.sample = a.sample AND NOT r.removed AND r.undone)")?
                .query_map(params![sent.entry, sent.edit], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            if sent.kind != EditKind::Import {
                sent.labels = transaction
                    .prepare("SELECT s.sha256, c.after FROM label_changes c JOIN samples s ON s.id = c.sample
                         WHERE c.edit = ?1 AND NOT c.undone ORDER BY c.id")?
                    .query_map([sent.edit], |row| Ok((Sha256(row.get(0)?), row.get(1)?)))?
                    .collect::<rusqlite::Result<_>>()?;
                sent.removals = transaction
                    .prepare("SELECT s.sha256, r.removed FROM removals r JOIN samples s ON s.id = r.sample
                         WHERE r.edit = ?1 AND NOT r.undone ORDER BY r.id")?
                    .query_map([sent.edit], |row| Ok((Sha256(row.get(0)?), row.get(1)?)))?
                    .collect::<rusqlite::Result<_>>()?;
            }
            Ok(Some((sent, ids)))
        })?
        else {
            return Ok(None);
        };
        sent.samples = self.whole_with_labels_of(&ids, sent.edit)?;
        Ok(Some(sent))
    }

    /// Takes something out of the queue: the server has it, or nothing was left of it.
    pub fn acknowledged(&mut self, sent: &ToSend, received: Received) -> Result<(), LibraryError> {
        self.changing(|transaction| {
            if let Some(edit) = sent.edit {
                transaction.execute(
                    "INSERT INTO taken_edits (edit, there) VALUES (?1, ?2)
                     ON CONFLICT (edit) DO UPDATE SET there = ifnull(there, excluded.there)",
                    params![edit, received.edit],
                )?;
            }
            transaction.execute("DELETE FROM queue WHERE id = ?1", [sent.entry]).map(drop)
        })
    }

    /// Keeps something in the queue that the server did not take, with the reason.
    pub fn refused(&mut self, sent: &ToSend, why: &str) -> Result<(), LibraryError> {
        self.changing(|transaction| {
            transaction
                .execute("UPDATE queue SET sent = 0, refused = ?2 WHERE id = ?1", params![sent.entry, why])
                .map(drop)
        })
    }

    /// The numbers of the edits that wait, the latest first.
    pub fn edits_here(&self, limit: usize) -> Result<Vec<i64>, LibraryError> {
        let query = "SELECT DISTINCT edit FROM queue WHERE edit IS NOT NULL ORDER BY edit DESC LIMIT ?1";
        self.sqlite(|c| {
            c.prepare(query)?
                .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?
                .collect()
        })
    }

    /// The latest edit to turn, of those that wait.
    pub fn latest_here(&self, turn: Turn) -> Result<Option<i64>, LibraryError> {
        let which = match turn {
            Turn::Undo => "undone = 0 AND kind <> 'import'",
            Turn::Redo => "undone > 0",
        };
        let order = match turn {
            Turn::Undo => "id DESC",
            Turn::Redo => "undone DESC, id",
        };
        let query = format!("SELECT id FROM edits e WHERE {which} AND {HERE} ORDER BY {order} LIMIT 1");
        self.sqlite(|c| c.query_row(&query, [], |row| row.get(0)).optional())
    }

    /// The samples that something in the queue is about.
    pub fn queued_samples(&self) -> Result<Vec<Sha256>, LibraryError> {
        self.sqlite(|c| {
            c.prepare(&format!("SELECT s.sha256 FROM samples s WHERE s.id IN ({QUEUED})"))?
                .query_map([], |row| Ok(Sha256(row.get(0)?)))?
                .collect()
        })
    }

    /// Takes over which samples the server has and with which labels, but for those that something in the queue is about. Does nothing,
    /// and returns `false`, if the queue is no longer as it was then.
    pub fn mirror(
        &mut self,
        all: &[(Sha256, Option<String>)],
        queue: (i64, i64),
    ) -> Result<bool, LibraryError> {
        self.changing(|transaction| {
            if queue_state(transaction)? != queue {
                return Ok(false);
            }
            transaction.execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS there (sha256 BLOB PRIMARY KEY, label TEXT) WITHOUT ROWID; DELETE FROM there",
            )?;
            let mut there = transaction.prepare("INSERT OR IGNORE INTO there (sha256, label) VALUES (?1, ?2)")?;
            for (sha256, label) in all {
                there.execute(params![&sha256.0[..], label])?;
            }
            transaction.execute(
                &format!(
                    "UPDATE samples SET removed = NOT removed
                     WHERE removed = (sha256 IN (SELECT sha256 FROM there)) AND id NOT IN ({QUEUED})"
                ),
                [],
            )?;
            transaction.execute(
                &format!(
                    "UPDATE samples SET label = t.label FROM there t
                     WHERE t.sha256 = samples.sha256 AND samples.label IS NOT t.label AND samples.id NOT IN ({QUEUED})"
                ),
                [],
            )?;
            transaction.execute_batch("DELETE FROM there")?;
            Ok(true)
        })
    }
}

/// The row ids of samples that something in the queue is about.
const QUEUED: &str = "SELECT sample FROM queued_samples
    UNION SELECT c.sample FROM label_changes c JOIN queue q ON q.edit = c.edit
    UNION SELECT r.sample FROM removals r JOIN queue q ON q.edit = r.edit";

fn queue_state(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    // Row ids are never used again.
    connection.query_row(
        "SELECT (SELECT count(*) FROM queue), ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'queue'), 0)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

fn kind_of(name: &str) -> Option<EditKind> {
    KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
}

/// An entry without what it is about.
fn entry(row: &Row<'_>) -> rusqlite::Result<ToSend> {
    let kind: Option<String> = row.get(3)?;
    Ok(ToSend {
        entry: row.get(0)?,
        token: row.get(1)?,
        edit: row.get(2)?,
        there: row.get(6)?,
        kind: kind.as_deref().and_then(kind_of).unwrap_or(EditKind::Import),
        at: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        source: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
        samples: Vec::new(),
        labels: Vec::new(),
        removals: Vec::new(),
    })
}
