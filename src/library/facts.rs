//! The facts of samples in the library file: looking samples up by their SHA-1 or MD5, and counting what is rare.

use super::version::WITH_FACTS;
use super::{Library, LibraryError};
use crate::sample::{KeptFacts, Sha256};
use rusqlite::{OptionalExtension as _, Row, params};

/// In how many samples a trait is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Samples that have it.
    pub samples: usize,
    /// Samples of which it is known whether they have it.
    pub of: usize,
}

impl Library {
    /// The facts of a sample; `None` if it is not in the library, or was added by an earlier version.
    pub fn facts(&self, sha256: Sha256) -> Result<Option<KeptFacts>, LibraryError> {
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

    /// The samples with this SHA-1 (20 bytes) or MD5 (16 bytes). Either can be forged: there may be several.
    pub fn samples_by_digest(&self, digest: &[u8]) -> Result<Vec<Sha256>, LibraryError> {
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

    /// The number of samples without facts: those that an earlier version added and that were not read again.
    pub fn without_facts(&self) -> Result<usize, LibraryError> {
        let lacking =
            if self.has_facts() { "NOT EXISTS (SELECT 1 FROM facts f WHERE f.sample = s.id)" } else { "1" };
        let query = format!("SELECT count(*) FROM samples s WHERE {} AND {lacking}", self.present());
        self.sqlite(|c| c.query_row(&query, [], |row| row.get::<_, i64>(0))).map(|count| count as usize)
    }

    /// Counts traits over all samples by their hashes, which are in ascending order, of each kind as in [`TraitKind::ALL`]; the
    /// counts are in the same order. It reads the facts of all samples, some kilobytes each, once. It stops where `go_on` returns
    /// false, with what was counted so far.
    pub fn count_traits(
        &self,
        asked: &[Vec<u64>; 3],
        go_on: impl Fn() -> bool,
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
                let kept = row.get_ref(0)?.as_blob().unwrap_or_default();
                let Some(facts) = KeptFacts::from_bytes([0; 20], [0; 16], kept) else { continue };
                for ((set, asked), counts) in facts.traits.iter().zip(asked).zip(&mut counts) {
                    for (has, count) in set.has_each(asked).zip(counts) {
                        count.samples += usize::from(has == Some(true));
                        count.of += usize::from(has.is_some());
                    }
                }
            }
            Ok(())
        })?;
        Ok(counts)
    }

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

#[cfg(test)]
mod tests {
    use super::super::fixture::{hash, library, model};
    use super::super::{Batch, Import};
    use super::*;
    use crate::model::Embeddings;
    use crate::picture::{BytePlanes, Encoded};
    use crate::sample::{FileKind, Sample, TraitSet};

    fn sample(number: u8, imports: &[u64]) -> Sample {
        let mut facts = KeptFacts { sha1: [number; 20], md5: [9; 16], ..KeptFacts::default() };
        facts.traits[0] = TraitSet::of(imports.to_vec(), 3);
        Sample {
            path: format!("/{number}").into(),
            label: None,
            sha256: hash(number),
            size: 1,
            kind: FileKind::Pe,
            architecture: None,
            facts: Some(Box::new(facts)),
        }
    }

    #[test]
    fn samples_are_found_by_digest_and_what_they_share_is_counted() {
        let (_folder, mut library) = library();
        assert_eq!(library.without_facts().unwrap(), 4);
        let samples = [sample(11, &[5, 7]), sample(12, &[5, 8]), sample(13, &[1, 2, 3, 5])];
        let pictures = vec![Encoded::Bytes(BytePlanes::of(b"MZ")); 3];
        let embeddings = Embeddings { dimension: 64, data: vec![0.125; 3 * 64] };
        let batch = Batch { samples: &samples, pictures: &pictures, embeddings: &embeddings };
        library.add(&model(1), batch, &mut Import::new("/")).unwrap();
        assert_eq!(library.without_facts().unwrap(), 4);
        assert_eq!(library.samples_by_digest(&[12; 20]).unwrap(), [hash(12)]);
        assert_eq!(library.samples_by_digest(&[9; 16]).unwrap(), [hash(11), hash(12), hash(13)]);
        assert!(library.samples_by_digest(&[12; 16]).unwrap().is_empty());
        assert!(library.samples_by_digest(&[12; 3]).unwrap().is_empty());
        assert_eq!(library.facts(hash(12)).unwrap().as_ref(), samples[1].facts.as_deref());
        assert_eq!(library.facts(hash(1)).unwrap(), None);
        let counts = library.count_traits(&[vec![5, 7], vec![], vec![5]], || true).unwrap();
        // Of the third it is not known whether it imports 5, which it does not keep.
        assert_eq!(counts[0], [Counted { samples: 2, of: 2 }, Counted { samples: 1, of: 2 }]);
        assert_eq!(counts[2], [Counted { samples: 0, of: 3 }]);
        library.remove(&[hash(12)], "test").unwrap();
        assert!(library.samples_by_digest(&[12; 20]).unwrap().is_empty());
        assert_eq!(
            library.count_traits(&[vec![5], vec![], vec![]], || true).unwrap()[0],
            [Counted { samples: 1, of: 1 }]
        );
    }

    #[test]
    fn known_samples_take_the_facts_that_they_lack() {
        let (_folder, mut library) = library();
        let (known, other) = (sample(2, &[4]), sample(99, &[4]));
        let picture = Encoded::Bytes(BytePlanes::of(b"MZ"));
        let embeddings = Embeddings { dimension: 64, data: vec![0.125; 2 * 64] };
        let stored =
            library.add_embeddings(&model(1), &[&known, &other], &[&picture, &picture], &embeddings).unwrap();
        assert_eq!(stored, 1);
        assert_eq!(library.facts(hash(2)).unwrap(), known.facts.map(|facts| *facts));
        assert_eq!(library.without_facts().unwrap(), 3);
    }
}
