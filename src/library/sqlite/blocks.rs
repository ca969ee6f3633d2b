//! All looks of a library file, read block by block.

use super::large::LargeLibrary;
use crate::job::{Reporter, Stop};
use crate::library::block::Block;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Rows};
use std::collections::HashSet;

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
    /// Passes the looks of all samples that are not removed to `take`, in blocks, until it returns `false`. Returns `None` then, or
    /// if something is damaged or missing.
    pub(super) fn read_all(
        &self,
        reporter: &Reporter,
        take: &mut dyn FnMut(Block) -> bool,
    ) -> Result<Option<()>, Stop> {
        let stage = reporter.stage("Searching the library", self.last.try_into().unwrap_or(0));
        let mut done = 0;
        let mut give = |block: &mut Block| {
            let upto = block.samples.last().copied().unwrap_or(done);
            stage.advance((upto - done).try_into().unwrap_or(0));
            done = upto;
            !reporter.cancelled() && take(std::mem::take(block))
        };
        let read = self.library.part(|connection| self.read_blocks(connection, &mut give))?;
        reporter.check()?;
        Ok(read)
    }

    fn read_blocks(
        &self,
        connection: &Connection,
        give: &mut impl FnMut(&mut Block) -> bool,
    ) -> rusqlite::Result<Option<()>> {
        let removed = if self.library.has_edits() { removed(connection)? } else { HashSet::new() };
        let bytes = self.model.config.embedding * 4;
        let mut vectors =
            connection.prepare("SELECT sample, vector FROM embeddings WHERE model = ?1 ORDER BY sample")?;
        let mut vectors = vectors.query([self.id])?;
        let mut views = match &self.model.views {
            Some(_) => {
                Some(connection.prepare("SELECT sample, seen FROM views WHERE model = ?1 ORDER BY sample")?)
            }
            None => None,
        };
        let mut seen = match &mut views {
            Some(statement) => Some(Seen { rows: statement.query([self.id])?, latest: None }),
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
fn removed(connection: &Connection) -> rusqlite::Result<HashSet<i64>> {
    connection.prepare("SELECT id FROM samples WHERE removed")?.query_map([], |row| row.get(0))?.collect()
}
