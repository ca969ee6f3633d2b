//! What a database of this program is: a library, or a shard of one.

use super::store::PostgresLibrary;
use crate::library::LibraryError;
use std::time::Duration;

/// The identity that a database has recorded.
#[derive(Debug)]
pub struct Identity {
    /// What tells it from others.
    pub id: String,
    /// Of a shard: the id of its library, its number from 0, and of how many.
    pub shard_of: Option<(String, usize, usize)>,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.shard_of {
            Some((library, number, of)) => {
                let library = library.split('-').next().unwrap_or_default();
                write!(f, "shard {} of {of} of the library {library}", number + 1)
            }
            None => write!(f, "a library that is no shard"),
        }
    }
}

impl PostgresLibrary {
    /// What this database is.
    pub(super) fn identity(&self) -> Result<Identity, LibraryError> {
        let row = self.reading(|client| {
            client.query_one("SELECT id::text, shard_of::text, shard, shards FROM lookalike.library", &[])
        })?;
        let count = |column: usize| row.get::<_, Option<i32>>(column).and_then(|n| usize::try_from(n).ok());
        let shard_of = row.get::<_, Option<String>>(1);
        let shard_of = shard_of.and_then(|library| Some((library, count(2)?, count(3)?)));
        Ok(Identity { id: row.get(0), shard_of })
    }

    /// The URLs of its shards, in the order of their numbers.
    pub(super) fn shards(&self) -> Result<Vec<String>, LibraryError> {
        let rows =
            self.reading(|client| client.query("SELECT url FROM lookalike.shards ORDER BY number", &[]))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Fails if the server does not answer in this time.
    pub(super) fn check_connection(&self, patience: Duration) -> Result<(), LibraryError> {
        self.reading(|client| client.is_valid(patience))
    }

    /// Whether the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.client().is_closed()
    }
}
