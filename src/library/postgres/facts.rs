//! The facts of the samples of a team's library.

use super::store::{PostgresLibrary, sha256};
use crate::library::{Counted, KeptTraits, LibraryError, count_in};
use crate::sample::{KeptFacts, Sha256};
use postgres::fallible_iterator::FallibleIterator as _;

impl KeptTraits for PostgresLibrary {
    fn facts(&self, sha256: Sha256) -> Result<Option<KeptFacts>, LibraryError> {
        let found = self.reading(|client| {
            client.query_opt(
                "SELECT f.sha1, f.md5, f.kept FROM lookalike.samples s JOIN lookalike.facts f ON f.sample = s.id
                 WHERE s.sha256 = $1 AND NOT s.removed",
                &[&&sha256.0[..]],
            )
        })?;
        Ok(found.and_then(|row| {
            let sha1 = row.get::<_, &[u8]>(0).try_into().ok()?;
            let md5 = row.get::<_, &[u8]>(1).try_into().ok()?;
            KeptFacts::from_bytes(sha1, md5, row.get(2))
        }))
    }

    fn samples_by_digest(&self, digest: &[u8]) -> Result<Vec<Sha256>, LibraryError> {
        let column = match digest.len() {
            20 => "sha1",
            16 => "md5",
            _ => return Ok(Vec::new()),
        };
        let query = format!(
            "SELECT s.sha256 FROM lookalike.facts f JOIN lookalike.samples s ON s.id = f.sample
             WHERE f.{column} = $1 AND NOT s.removed ORDER BY s.id"
        );
        let rows = self.reading(|client| client.query(&query, &[&digest]))?;
        Ok(rows.iter().filter_map(|row| sha256(row, 0)).collect())
    }

    fn without_facts(&self) -> Result<usize, LibraryError> {
        let row = self.reading(|client| {
            client.query_one(
                "SELECT count(*) FROM lookalike.samples s WHERE NOT s.removed
                     AND NOT EXISTS (SELECT 1 FROM lookalike.facts f WHERE f.sample = s.id)",
                &[],
            )
        })?;
        Ok(row.get::<_, i64>(0) as usize)
    }

    fn count_traits(
        &self,
        asked: &[Vec<u64>; 3],
        go_on: &dyn Fn() -> bool,
    ) -> Result<[Vec<Counted>; 3], LibraryError> {
        let mut counts = asked.each_ref().map(|hashes| vec![Counted::default(); hashes.len()]);
        if asked.iter().all(Vec::is_empty) {
            return Ok(counts);
        }
        self.reading(|client| {
            let none: [i64; 0] = [];
            let mut rows = client.query_raw(
                "SELECT f.kept FROM lookalike.facts f JOIN lookalike.samples s ON s.id = f.sample WHERE NOT s.removed",
                none,
            )?;
            while let Some(row) = rows.next()?.filter(|_| go_on()) {
                count_in(row.get(0), asked, &mut counts);
            }
            Ok(())
        })?;
        Ok(counts)
    }
}
