//! The facts of samples in the library file: looking samples up by their SHA-1 or MD5, and counting what is rare.

use super::SqliteLibrary;
use super::version::WITH_FACTS;
use crate::library::{Counted, KeptTraits, LibraryError, count_in};
use crate::sample::{KeptFacts, Sha256};
use rusqlite::{OptionalExtension as _, Row, params};

impl KeptTraits for SqliteLibrary {
    fn facts(&self, sha256: Sha256) -> Result<Option<KeptFacts>, LibraryError> {
        if !self.has_facts() {
            return Ok(None);
        }
        let query = format!(
            "SELECT d.sha1, d.md5, f.kept FROM samples s JOIN digests d ON d.sample = s.id
             JOIN facts f ON f.sample = s.id WHERE s.sha256 = ?1 AND {}",
            self.present()
        );
        let found = self.sqlite(|c| c.query_row(&query, [&sha256.0[..]], parse).optional())?;
        Ok(found.flatten())
    }

    fn samples_by_digest(&self, digest: &[u8]) -> Result<Vec<Sha256>, LibraryError> {
        let column = match digest.len() {
            20 => "sha1",
            16 => "md5",
            _ => return Ok(Vec::new()),
        };
        if !self.has_facts() {
            return Ok(Vec::new());
        }
        let query = format!(
            "SELECT s.sha256 FROM digests d JOIN samples s ON s.id = d.sample WHERE d.{column} = ?1 AND {}
             ORDER BY s.id",
            self.present()
        );
        self.sqlite(|c| {
            c.prepare(&query)?.query_map(params![digest], |row| Ok(Sha256(row.get(0)?)))?.collect()
        })
    }

    fn without_facts(&self) -> Result<usize, LibraryError> {
        let lacking =
            if self.has_facts() { "NOT EXISTS (SELECT 1 FROM facts f WHERE f.sample = s.id)" } else { "1" };
        let query = format!("SELECT count(*) FROM samples s WHERE {} AND {lacking}", self.present());
        self.sqlite(|c| c.query_row(&query, [], |row| row.get::<_, i64>(0))).map(|count| count as usize)
    }

    fn count_traits(
        &self,
        asked: &[Vec<u64>; 3],
        go_on: &dyn Fn() -> bool,
    ) -> Result<[Vec<Counted>; 3], LibraryError> {
        let mut counts = asked.each_ref().map(|hashes| vec![Counted::default(); hashes.len()]);
        if asked.iter().all(Vec::is_empty) || !self.has_facts() {
            return Ok(counts);
        }
        let query =
            format!("SELECT f.kept FROM facts f JOIN samples s ON s.id = f.sample WHERE {}", self.present());
        self.sqlite(|c| {
            let mut statement = c.prepare(&query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()?.filter(|_| go_on()) {
                count_in(row.get_ref(0)?.as_blob().unwrap_or_default(), asked, &mut counts);
            }
            Ok(())
        })?;
        Ok(counts)
    }
}

impl SqliteLibrary {
    /// Whether the file has facts: only one of an earlier version that cannot be written has none.
    fn has_facts(&self) -> bool {
        self.version() >= WITH_FACTS
    }
}

/// The facts of a row; `None` if this program would not have written them.
fn parse(row: &Row<'_>) -> rusqlite::Result<Option<KeptFacts>> {
    let (sha1, md5, kept) = (row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?);
    let sha1 = sha1.as_blob().ok().and_then(|bytes| bytes.try_into().ok());
    let md5 = md5.as_blob().ok().and_then(|bytes| bytes.try_into().ok());
    let kept = kept.as_blob().ok();
    Ok(sha1.zip(md5).zip(kept).and_then(|((sha1, md5), kept)| KeptFacts::from_bytes(sha1, md5, kept)))
}
