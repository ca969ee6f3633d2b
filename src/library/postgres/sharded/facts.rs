//! The facts of the samples of a library with shards. Digests are in the first database, the rest on the shards.

use super::library::ShardedLibrary;
use super::number::number;
use crate::library::postgres::store::sha256;
use crate::library::{Counted, KeptTraits, LibraryError, count_in};
use crate::sample::{KeptFacts, Sha256};
use postgres::fallible_iterator::FallibleIterator as _;
use std::collections::HashSet;

/// Samples of a shard that are looked up together.
const TOGETHER: usize = 2000;

impl KeptTraits for ShardedLibrary {
    fn facts(&self, sha256: Sha256) -> Result<Option<KeptFacts>, LibraryError> {
        if self.first.facts(sha256)?.is_none() {
            return Ok(None);
        }
        let asked = self.only(number(sha256, self.shards.len()));
        Ok(self.shards.with(&asked, |shard, ()| shard.facts(sha256))?.pop().flatten())
    }

    fn samples_by_digest(&self, digest: &[u8]) -> Result<Vec<Sha256>, LibraryError> {
        self.first.samples_by_digest(digest)
    }

    fn without_facts(&self) -> Result<usize, LibraryError> {
        self.first.without_facts()
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
        // What does not answer is said to be missing.
        let missing = self.shards.find_missing();
        for shard in self.shards.open_each(&missing) {
            let shard = shard?;
            shard.reading(|client| {
                let none: [i64; 0] = [];
                let mut rows = client.query_raw(
                    "SELECT s.sha256, f.kept FROM lookalike.facts f JOIN lookalike.samples s ON s.id = f.sample",
                    none,
                )?;
                let mut some: Vec<(Sha256, Vec<u8>)> = Vec::new();
                loop {
                    let row = rows.next()?.filter(|_| go_on());
                    let ended = row.is_none();
                    some.extend(row.and_then(|row| Some((sha256(&row, 0)?, row.get(1)))));
                    if ended || some.len() == TOGETHER {
                        // What is removed, or was never acknowledged, does not count.
                        let there = self.first_has(some.iter().map(|(sha256, _)| *sha256));
                        let there = match there {
                            Ok(there) => there,
                            Err(error) => return Ok(Err(error)),
                        };
                        for (sha256, kept) in some.drain(..) {
                            if there.contains(&sha256) {
                                count_in(&kept, asked, &mut counts);
                            }
                        }
                    }
                    if ended {
                        return Ok(Ok(()));
                    }
                }
            })??;
        }
        Ok(counts)
    }
}

impl ShardedLibrary {
    /// One shard, as what is asked of each.
    pub fn only(&self, shard: usize) -> Vec<Option<()>> {
        (0..self.shards.len()).map(|number| (number == shard).then_some(())).collect()
    }

    /// Those of these samples that have facts and are not removed.
    fn first_has(&self, samples: impl Iterator<Item = Sha256>) -> Result<HashSet<Sha256>, LibraryError> {
        let samples: Vec<Vec<u8>> = samples.map(|sample| sample.0.to_vec()).collect();
        let rows = self.first.reading(|client| {
            client.query(
                "SELECT s.sha256 FROM lookalike.samples s JOIN lookalike.facts f ON f.sample = s.id
                 WHERE s.sha256 = ANY($1) AND NOT s.removed",
                &[&samples],
            )
        })?;
        Ok(rows.iter().filter_map(|row| sha256(row, 0)).collect())
    }
}
