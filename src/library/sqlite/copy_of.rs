//! The record in a library file that is the copy of a team's library: which library, and when it was last refreshed.

use super::SqliteLibrary;
use crate::library::{LibraryError, ServerUrl};
use rusqlite::{OptionalExtension as _, params};

/// The record of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyOf {
    /// When it was last as the server had it, as RFC 3339 in UTC; `None` if it never was.
    pub refreshed: Option<String>,
    /// Why the user may not change the library there.
    pub read_only: Option<String>,
}

impl SqliteLibrary {
    /// Makes this file the copy of a library, which it stays.
    pub fn become_copy_of(&mut self, url: &ServerUrl) -> Result<(), LibraryError> {
        self.changing(|transaction| {
            transaction
                .execute(
                    "INSERT INTO copy_of (one, url) VALUES (1, ?1) ON CONFLICT DO NOTHING",
                    [url.as_str()],
                )
                .map(drop)
        })
    }

    /// The record of this file, if it is the copy of that library.
    pub fn copy_of(&self, url: &ServerUrl) -> Result<Option<CopyOf>, LibraryError> {
        self.sqlite(|c| {
            c.query_row("SELECT refreshed, read_only FROM copy_of WHERE url = ?1", [url.as_str()], |row| {
                Ok(CopyOf { refreshed: row.get(0)?, read_only: row.get(1)? })
            })
            .optional()
        })
    }

    /// Says that it is as the server had it at a time, as RFC 3339 in UTC.
    pub fn set_refreshed(&mut self, at: &str, read_only: Option<&str>) -> Result<(), LibraryError> {
        self.changing(|transaction| {
            transaction
                .execute("UPDATE copy_of SET refreshed = ?1, read_only = ?2", params![at, read_only])
                .map(drop)
        })
    }
}
