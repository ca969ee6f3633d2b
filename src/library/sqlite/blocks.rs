//! All looks of a library file, read block by block.

use super::SqliteLibrary;
use super::large::LargeLibrary;
use super::version::WITH_SEGMENTS;
use crate::job::{Reporter, Stop};
use crate::library::block::Block;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Rows};
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// What the views see of samples, in the order of their ids.
struct Seen<'a> {
    rows: Rows<'a>,
    /// The latest that was read.
    latest: Option<(i64, Vec<u8>)>,
}

impl Seen<'_> {
    /// Of this sample; `None` if it is missing. The ids asked for must rise.
    fn of(&mut self, sample: i64) -> rusqlite::Result<Option<&[u8]>> {
        while self.latest.as_ref().is_none_or(|(latest, _)| *latest < sample) {
            let Some(row) = self.rows.next()? else { return Ok(None) };
            let (latest, bytes) = self.latest.get_or_insert_default();
            *latest = row.get(0)?;
            bytes.clear();
            if let ValueRef::Blob(seen) = row.get_ref(1)? {
                bytes.extend(seen);
            }
        }
        Ok(self.latest.as_ref().filter(|(latest, _)| *latest == sample).map(|(_, bytes)| &bytes[..]))
    }
}

impl LargeLibrary<'_> {
    /// Passes the looks of the samples with these ids that are not removed to `take`, in blocks, until it returns `false`. Returns
    /// `None` then, or if something is damaged or missing.
    pub(super) fn read_all(
        &self,
        ids: &[RangeInclusive<i64>],
        reporter: &Reporter,
        take: &mut dyn FnMut(Block) -> bool,
    ) -> Result<Option<()>, Stop> {
        let total: i64 = ids.iter().map(|ids| ids.end() - (*ids.start()).max(1) + 1).sum();
        let stage = reporter.stage("Searching the library", total.try_into().unwrap_or(0));
        let mut read = Some(());
        for ids in ids {
            let mut done = (*ids.start()).max(1) - 1;
            let mut give = |block: &mut Block| {
                let upto = block.samples.last().copied().unwrap_or(done);
                stage.advance((upto - done).try_into().unwrap_or(0));
                done = upto;
                !reporter.cancelled() && take(std::mem::take(block))
            };
            if read.is_some() {
                read = self.library.part(|connection| self.read_blocks(connection, ids, &mut give))?;
            }
            reporter.check()?;
        }
        Ok(read)
    }

    fn read_blocks(
        &self,
        connection: &Connection,
        ids: &RangeInclusive<i64>,
        give: &mut impl FnMut(&mut Block) -> bool,
    ) -> rusqlite::Result<Option<()>> {
        let removed = removed(self.library, connection)?;
        let bytes = self.model.config.embedding * 4;
        let within = [self.id, *ids.start(), *ids.end()];
        let mut vectors = connection.prepare(
            "SELECT sample, vector FROM embeddings WHERE model = ?1 AND sample BETWEEN ?2 AND ?3 ORDER BY sample",
        )?;
        let mut vectors = vectors.query(within)?;
        let of_views = match self.library.version() {
            WITH_SEGMENTS.. => {
                "SELECT look & 0xffffffffff, seen FROM seen
                 WHERE look BETWEEN ?1 << 40 | max(?2, 0) AND ?1 << 40 | min(?3, 0xffffffffff) ORDER BY look"
            }
            _ => {
                "SELECT sample, seen FROM views WHERE model = ?1 AND sample BETWEEN ?2 AND ?3 ORDER BY sample"
            }
        };
        let mut views = match &self.model.views {
            Some(_) => Some(connection.prepare(of_views)?),
            None => None,
        };
        let mut seen = match &mut views {
            Some(statement) => Some(Seen { rows: statement.query(within)?, latest: None }),
            None => None,
        };
        let mut block = Block::default();
        while let Some(row) = vectors.next()? {
            let sample: i64 = row.get(0)?;
            if removed.contains(&sample) {
                continue;
            }
            let Some(vector) = row.get_ref(1)?.as_blob().ok().filter(|vector| vector.len() == bytes) else {
                return Ok(None);
            };
            let seen = match &mut seen {
                Some(seen) => {
                    let Some(seen) = seen.of(sample)? else { return Ok(None) };
                    Some(seen)
                }
                None => None,
            };
            block.push(sample, vector, seen);
            if block.is_full() && !give(&mut block) {
                return Ok(None);
            }
        }
        Ok(give(&mut block).then_some(()))
    }
}

/// The ids of all removed samples.
pub(super) fn removed(library: &SqliteLibrary, connection: &Connection) -> rusqlite::Result<HashSet<i64>> {
    if !library.has_edits() {
        return Ok(HashSet::new());
    }
    connection.prepare("SELECT id FROM samples WHERE removed")?.query_map([], |row| row.get(0))?.collect()
}
