//! A change of a label as the library file records it: who gave a sample which label, when, and from what
//! source.

use crate::sample::Sha256;
use rusqlite::{Connection, Params, Transaction, params};

/// One change of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelChange {
    /// Its row id in the library file.
    pub id: i64,
    /// The sample.
    pub sha256: Sha256,
    /// The label before, if there was one.
    pub before: Option<String>,
    /// The label after, if there is one.
    pub after: Option<String>,
    /// When, as RFC 3339 in UTC.
    pub at: String,
    /// The user's name on that machine.
    pub who: String,
    /// The folder, or another way it was given.
    pub source: String,
    /// Whether it was undone.
    pub undone: bool,
}

/// The user's name, as the system knows it.
fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "unknown".into())
}

/// Records a change, in the transaction that makes it.
pub fn record(
    transaction: &Transaction<'_>,
    sample: i64,
    before: Option<&str>,
    after: Option<&str>,
    source: &str,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO label_changes (sample, before, after, who, source) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![sample, before, after, user(), source])?;
    Ok(())
}

/// The changes that the condition `which` selects, oldest first.
pub fn changes(
    connection: &Connection,
    which: &str,
    parameters: impl Params,
) -> rusqlite::Result<Vec<LabelChange>> {
    // A read-only library may be of version 1, which has no history.
    let tables = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'label_changes'",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    connection
        .prepare(&format!(
            "SELECT c.id, s.sha256, c.before, c.after, c.at, c.who, c.source, c.undone
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
            })
        })?
        .collect()
}
