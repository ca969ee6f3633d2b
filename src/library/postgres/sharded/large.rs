//! A large library with shards, of which only what is asked for is read. Which samples there are is of one state of the first database;
//! their shards have all of them, and what they have more is not asked for.

use super::looks::{LOOKS, looks};
use super::number::elsewhere;
use super::shards::Shards;
use crate::job::{Reporter, Stop};
use crate::library::block::Block;
use crate::library::partly_read::{Found, Part};
use crate::library::postgres::large::LargeLibrary;
use crate::library::postgres::store::{PostgresLibrary, read_listed, rows, sha256};
use crate::library::postgres::vector::Vector;
use crate::library::row::{Listed, Row};
use crate::library::{LibraryError, Nearest, PartlyRead, Search};
use crate::model::{Calibration, Model};
use crate::sample::Sha256;
use crate::search::Looks;
use postgres::fallible_iterator::FallibleIterator as _;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

/// Samples of a shard that are read together.
const TOGETHER: usize = 2000;

/// A large library as its first database is now.
pub struct ShardedLarge<'a> {
    pub(super) first: LargeLibrary<'a>,
    pub(super) shards: &'a Shards,
    /// Which shards can be read.
    pub(super) readable: Vec<usize>,
}

impl<'a> ShardedLarge<'a> {
    /// The library, if its model has embedded more samples than `least`. Of a shard that does not answer now, it has no samples.
    pub fn new(
        library: &'a PostgresLibrary,
        shards: &'a Shards,
        least: i64,
    ) -> Result<Option<Self>, LibraryError> {
        let Some(mut first) = LargeLibrary::new(library, least)? else { return Ok(None) };
        let missing = shards.find_missing();
        first.readable = elsewhere(&missing, shards.len());
        let readable = (0..shards.len()).filter(|number| !missing.contains(number)).collect();
        Ok(Some(Self { first, shards, readable }))
    }

    /// Something for each shard that can be read.
    pub(super) fn asked(&self) -> Vec<Option<()>> {
        (0..self.shards.len()).map(|number| self.readable.contains(&number).then_some(())).collect()
    }

    /// The ids of those of these samples that count, by their hashes; with `labels` of those with one of them.
    pub(super) fn ids_of(
        &self,
        samples: &[Sha256],
        labels: Option<&[String]>,
    ) -> Result<HashMap<Sha256, i64>, LibraryError> {
        let hashes: Vec<&[u8]> = samples.iter().map(|sample| &sample.0[..]).collect();
        let any = labels.is_none();
        let rows = self.first.library.reading(|client| {
            client.query(
                "SELECT s.sha256, s.id FROM lookalike.samples s JOIN lookalike.looks l ON l.model = $1 AND l.sample = s.id
                 WHERE s.sha256 = ANY($2) AND NOT s.removed AND ($3 OR s.label = ANY($4))",
                &[&self.first.id, &hashes, &any, &labels.unwrap_or_default()],
            )
        })?;
        Ok(rows.iter().filter_map(|row| Some((sha256(row, 0)?, row.get(1)))).collect())
    }

    /// Passes the looks of a shard to `give`, in blocks, until it returns `false`. `None` if one cannot be read.
    fn blocks_of(
        &self,
        shard: &PostgresLibrary,
        mut give: impl FnMut(Block) -> bool,
    ) -> Result<Option<()>, LibraryError> {
        let model = &self.first.model;
        shard.reading(|client| {
            let query = format!("SELECT {LOOKS} ORDER BY l.sample");
            let mut rows = client.query_raw(&query, [&&model.hash.0[..]])?;
            loop {
                let some: Vec<postgres::Row> = rows.by_ref().take(TOGETHER).collect()?;
                let block = match self.block(&some) {
                    Ok(Some(block)) => block,
                    ended => return Ok(ended.map(|_| None)),
                };
                if !give(block) {
                    return Ok(Ok(None));
                }
                // Rows that have ended are not asked for more.
                if some.len() < TOGETHER {
                    return Ok(Ok(Some(())));
                }
            }
        })?
    }

    /// The samples of these rows that count, ids rising; `None` if one cannot be read.
    fn block(&self, rows: &[postgres::Row]) -> Part<Block> {
        let hashes: Option<Vec<Sha256>> = rows.iter().map(|row| sha256(row, 0)).collect();
        let Some(hashes) = hashes else { return Ok(None) };
        let ids = self.ids_of(&hashes, None)?;
        let mut found: Vec<(i64, &postgres::Row)> =
            hashes.iter().zip(rows).filter_map(|(hash, row)| Some((*ids.get(hash)?, row))).collect();
        found.sort_by_key(|(id, _)| *id);
        let mut block = Block::default();
        for (id, row) in found {
            let Ok(Vector(vector)) = row.try_get(1) else { return Ok(None) };
            let seen: Option<&[u8]> = row.get(2);
            if vector.len() != self.first.model.config.embedding
                || seen.is_none() != self.first.model.views.is_none()
            {
                return Ok(None);
            }
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            block.push(id, &bytes, seen);
        }
        Ok(Some(block))
    }
}

impl PartlyRead for ShardedLarge<'_> {
    fn model(&self) -> &Arc<Model> {
        self.first.model()
    }

    fn count(&self, most: usize) -> Part<usize> {
        self.first.count(most)
    }

    fn others(&self) -> Part<usize> {
        self.first.others()
    }

    fn ids(&self, samples: &[Sha256]) -> Part<Vec<i64>> {
        self.first.ids(samples)
    }

    fn ids_between(&self, range: (Sha256, Sha256), most: u32) -> Part<Vec<i64>> {
        self.first.ids_between(range, most)
    }

    fn with_labels(&self, labels: &[String]) -> Part<Vec<i64>> {
        self.first.with_labels(labels)
    }

    fn nearest(
        &self,
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop> {
        if !search.exact
            && let Some(found) = self.nearest_by_index(search, calibration, reporter)?
        {
            return Ok(Some(found));
        }
        (self as &dyn PartlyRead).nearest_of_all(search, calibration, reporter)
    }

    fn labelled(&self) -> Part<Vec<Vec<i64>>> {
        self.first.labelled()
    }

    fn read(&self, ids: &[i64], found: &mut Found) -> Part<()> {
        let lacking: Vec<i64> = ids.iter().copied().filter(|id| !found.contains_key(id)).collect();
        let read = self
            .first
            .library
            .reading(|client| client.query(&rows("l.sample = ANY($2)"), &[&self.first.id, &lacking]))?;
        let read: Option<Vec<Listed>> = read.iter().map(read_listed).collect();
        let Some(read) = read else { return Ok(None) };
        let hashes = read.iter().map(|listed| listed.record.sha256);
        let Some(mut looks) = looks(self.shards, &self.first.model, hashes)? else { return Ok(None) };
        for listed in read {
            let Some(look) = looks.remove(&listed.record.sha256) else { return Ok(None) };
            found.insert(listed.record.id, Row { listed, look });
        }
        Ok(lacking.iter().all(|id| found.contains_key(id)).then_some(()))
    }

    fn looks(&self, ids: &[i64]) -> Part<Looks> {
        let rows = self.first.library.reading(|client| {
            client.query("SELECT sha256 FROM lookalike.samples WHERE id = ANY($1) ORDER BY id", &[&ids])
        })?;
        let hashes: Vec<Sha256> = rows.iter().filter_map(|row| sha256(row, 0)).collect();
        let Some(found) = looks(self.shards, &self.first.model, hashes.iter().copied())? else {
            return Ok(None);
        };
        let mut looks = Looks::new(self.first.model.config.embedding);
        hashes.iter().filter_map(|sample| found.get(sample)).for_each(|look| looks.push(look));
        Ok((looks.len() == ids.len()).then_some(looks))
    }

    /// The blocks come from all shards at once: ids rise in each, and not from one to the next.
    fn blocks(&self, reporter: &Reporter, take: &mut dyn FnMut(Block) -> bool) -> Result<Option<()>, Stop> {
        let stage = reporter.stage("Searching the library", self.count(usize::MAX)?.unwrap_or(0));
        let (send, receive) = sync_channel(self.readable.len());
        let read = std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                self.shards.with(&self.asked(), |shard, ()| {
                    let send = send.clone();
                    self.blocks_of(shard, |block| send.send(block).is_ok())
                })
            });
            for block in receive {
                stage.advance(block.samples.len());
                // What was sent after that is not received.
                if reporter.cancelled() || !take(block) {
                    break;
                }
            }
            reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        reporter.check()?;
        Ok(read?.into_iter().collect())
    }
}
