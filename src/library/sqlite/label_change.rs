//! A change of a label as the library file records it: who gave a sample which label, when, and from what
//! source.

use crate::library::{LabelChange, user};
use crate::sample::Sha256;
use rusqlite::{Connection, Params, params};

/// Records a change, in the transaction that makes it.
pub fn record(
    connection: &Connection,
    edit: i64,
    sample: i64,
    (before, after): (Option<&str>, Option<&str>),
    source: &str,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO label_changes (edit, sample, before, after, who, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![edit, sample, before, after, user(), source])?;
    Ok(())
}

/// The changes that the condition `which` selects, oldest first.
pub fn changes(
    connection: &Connection,
    which: &str,
    parameters: impl Params,
) -> rusqlite::Result<Vec<LabelChange>> {
    // A read-only library may be of version 1, which has no history, or of one without edits.
    if !connection.table_exists(None, "label_changes")? {
        return Ok(Vec::new());
    }
    let edit = if connection.column_exists(None, "label_changes", "edit")? { "c.edit" } else { "NULL" };
    connection
        .prepare(&format!(
            "SELECT c.id, s.sha256, c.before, c.after, c.at, c.who, c.source, c.undone, {edit}
             FROM label_changes c JOIN samples s ON s.id = c.sample WHERE {which} ORDER BY c.id"
        ))?
        .query_map(parameters, |row| {
            Ok(LabelChange {
                id: row.get(0)?,
                sha256: Sha256(row.get(1)?),
                before: row.get(2)?,
                after: row.get(3)?,
                at: row.get(4)?,
                who: row.get(5)?,
                source: row.get(6)?,
                undone: row.get(7)?,
                edit: row.get(8)?,
            })
        })?
        .collect()
}
