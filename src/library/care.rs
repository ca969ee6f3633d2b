//! Care of a library file: is it whole, and a copy of it while it is open.

use super::{Library, LibraryError};
use rusqlite::params;
use std::path::Path;

/// Faults that are told, at most.
const TOLD: usize = 100;

impl Library {
    /// What is wrong with the file; nothing if it is whole: SQLite's own check, references that lead
    /// nowhere, and vectors that are not of their model's length.
    pub fn check(&self) -> Result<Vec<String>, LibraryError> {
        self.sqlite(|connection| {
            let mut faults: Vec<String> = connection
                .prepare(&format!("PRAGMA integrity_check({TOLD})"))?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            faults.retain(|fault| fault != "ok");
            let dangling = connection
                .prepare("PRAGMA foreign_key_check")?
                .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))?
                .take(TOLD)
                .collect::<rusqlite::Result<Vec<_>>>()?;
            faults.extend(dangling.into_iter().map(|(from, to)| format!("a row of {from} refers to one of {to} that is not there")));
            let lengths: i64 = connection.query_row(
                "SELECT count(*) FROM (SELECT model FROM embeddings GROUP BY model HAVING min(length(vector)) <> max(length(vector)))",
                [],
                |row| row.get(0),
            )?;
            if lengths > 0 {
                faults.push(format!("{lengths} models have vectors of unlike lengths"));
            }
            Ok(faults)
        })
    }

    /// Copies the library to a file that is not there yet, as it is at this moment, whoever else uses it.
    pub fn back_up(&self, to: &Path) -> Result<(), LibraryError> {
        if to.exists() {
            return Err(LibraryError::Exists { path: to.to_owned() });
        }
        self.sqlite(|connection| {
            let name = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
            connection.execute("VACUUM INTO ?1", params![name]).map(drop)
        })
    }
}
