//! Putting what is changed in a copy in its queue, in the transaction that changes it, so that neither is ever without the other.

use crate::library::EditKind;
use rusqlite::{Connection, Transaction, params};

/// The number of the latest edit.
pub fn latest_edit(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT ifnull(max(id), 0) FROM edits", [], |row| row.get(0))
}

/// Puts the edits after this one in the queue, but for imports, of which [`queue_samples`] queues each part.
pub fn queue_edits_after(transaction: &Transaction<'_>, last: i64) -> rusqlite::Result<()> {
    transaction
        .execute(
            "INSERT INTO queue (token, edit) SELECT randomblob(16), id FROM edits WHERE id > ?1 AND kind <> ?2 ORDER BY id",
            params![last, EditKind::Import.name()],
        )
        .map(drop)
}

/// Puts samples in the queue that an edit has added, or that have more than before.
pub fn queue_samples(
    transaction: &Transaction<'_>,
    edit: Option<i64>,
    samples: &[i64],
) -> rusqlite::Result<()> {
    if samples.is_empty() {
        return Ok(());
    }
    transaction.execute("INSERT INTO queue (token, edit) VALUES (randomblob(16), ?1)", [edit])?;
    let entry = transaction.last_insert_rowid();
    let mut sample_in =
        transaction.prepare("INSERT OR IGNORE INTO queued_samples (entry, sample) VALUES (?1, ?2)")?;
    samples.iter().try_for_each(|sample| sample_in.execute([entry, *sample]).map(drop))
}
