//! An edit: what one command of a user changed in the library file, to be undone and redone as one.

use crate::library::edits::KINDS;
use crate::library::{Edit, EditKind, user};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// Records an edit, in the transaction that makes it, and returns its row id.
pub fn begin_edit(connection: &Connection, kind: EditKind, source: &str) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO edits (kind, who, source) VALUES (?1, ?2, ?3)",
        params![kind.name(), user(), source],
    )?;
    Ok(connection.last_insert_rowid())
}

/// The latest edits, the latest first. Those of a kind that this program does not write are left out.
pub fn latest_edits(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Edit>> {
    let heads: Vec<_> = connection
        .prepare("SELECT id, kind, at, who, source, undone FROM edits ORDER BY id DESC LIMIT ?1")?
        .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], head)?
        .collect::<rusqlite::Result<_>>()?;
    heads.into_iter().flatten().map(|edit| with_changes(connection, edit)).collect()
}

/// The edit with this row id.
pub fn read_edit(connection: &Connection, id: i64) -> rusqlite::Result<Option<Edit>> {
    let head = connection
        .query_row("SELECT id, kind, at, who, source, undone FROM edits WHERE id = ?1", [id], head)
        .optional()?;
    head.flatten().map(|edit| with_changes(connection, edit)).transpose()
}

/// An edit without its changes; `None` if it is of a kind that this program does not write.
fn head(row: &Row<'_>) -> rusqlite::Result<Option<Edit>> {
    let name: String = row.get(1)?;
    let Some((kind, _)) = KINDS.iter().find(|(_, known)| *known == name) else { return Ok(None) };
    Ok(Some(Edit {
        id: row.get(0)?,
        kind: *kind,
        at: row.get(2)?,
        who: row.get(3)?,
        source: row.get(4)?,
        undone: row.get::<_, i64>(5)? != 0,
        labels: Vec::new(),
        from: None,
        removed: 0,
        added: 0,
    }))
}

fn with_changes(connection: &Connection, mut edit: Edit) -> rusqlite::Result<Edit> {
    edit.labels = connection
        .prepare_cached(
            "SELECT after, count(*) FROM label_changes WHERE edit = ?1 GROUP BY after ORDER BY count(*) DESC, after",
        )?
        .query_map([edit.id], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as usize)))?
        .collect::<rusqlite::Result<_>>()?;
    if matches!(edit.kind, EditKind::Rename | EditKind::Merge) {
        edit.from = connection
            .query_row("SELECT before FROM label_changes WHERE edit = ?1 LIMIT 1", [edit.id], |row| {
                row.get(0)
            })
            .optional()?
            .flatten();
    }
    (edit.removed, edit.added) = connection.query_row(
        "SELECT count(*) FILTER (WHERE removed), count(*) FILTER (WHERE NOT removed) FROM removals WHERE edit = ?1",
        [edit.id],
        |row| Ok((row.get::<_, i64>(0)? as usize, row.get::<_, i64>(1)? as usize)),
    )?;
    Ok(edit)
}
