//! Checking a team's library. The server's administrator backs it up: `pg_dump`, or what the team has for its databases.

use super::store::PostgresLibrary;
use crate::library::{Engine as _, LibraryError, Maintenance};
use std::path::Path;

impl Maintenance for PostgresLibrary {
    fn check(&self) -> Result<Vec<String>, LibraryError> {
        let lengths: i64 = self
            .reading(|client| {
                client.query_one(
                    "SELECT count(*) FROM (SELECT model FROM lookalike.looks GROUP BY model
                         HAVING min(vector_dims(embedding)) <> max(vector_dims(embedding))) AS odd",
                    &[],
                )
            })?
            .get(0);
        let odd = (lengths > 0).then(|| format!("{lengths} models have vectors of different lengths"));
        Ok(odd.into_iter().collect())
    }

    fn back_up(&self, _: &Path) -> Result<(), LibraryError> {
        Err(LibraryError::Server {
            expected: "a library in a file, to back it up".to_owned(),
            found: "a database".to_owned(),
            location: self.location().clone(),
            advice: "Copy it to a file with `lookalike library copy`, or back the database up with pg_dump"
                .to_owned(),
        })
    }
}
