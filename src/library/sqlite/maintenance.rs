//! Maintenance of a library file: checking that it is intact, and copying it while it is in use.

use super::SqliteLibrary;
use crate::library::{LibraryError, Maintenance};
use rusqlite::params;
use std::path::Path;

/// Faults listed at most.
const LISTED: usize = 100;

impl Maintenance for SqliteLibrary {
    fn check(&self) -> Result<Vec<String>, LibraryError> {
        self.sqlite(|connection| {
            let mut faults: Vec<String> = connection
                .prepare(&format!("PRAGMA integrity_check({LISTED})"))?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            faults.retain(|fault| fault != "ok");
            let dangling = connection
                .prepare("PRAGMA foreign_key_check")?
                .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))?
                .take(LISTED)
                .collect::<rusqlite::Result<Vec<_>>>()?;
            faults.extend(dangling.into_iter().map(|(from, to)| format!("a row of {from} refers to a missing row of {to}")));
            let lengths: i64 = connection.query_row(
                "SELECT count(*) FROM (SELECT model FROM embeddings GROUP BY model HAVING min(length(vector)) <> max(length(vector)))",
                [],
                |row| row.get(0),
            )?;
            if lengths > 0 {
                faults.push(format!("{lengths} models have vectors of different lengths"));
            }
            Ok(faults)
        })
    }

    fn back_up(&self, to: &Path) -> Result<(), LibraryError> {
        if to.exists() {
            return Err(LibraryError::Exists { path: to.to_owned() });
        }
        self.sqlite(|connection| {
            let name = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
            connection.execute("VACUUM INTO ?1", params![name]).map(drop)
        })
    }
}
