//! Finding what is near in a large library by comparing every sample that may be a neighbour.

use super::block::Block;
use super::partly_read::Part;
use super::search::Allowed;
use super::{Among, Nearest, PartlyRead, Search};
use crate::job::{Reporter, Stop};
use crate::model::Calibration;
use crate::search::{PREPARED, Passing};
use std::sync::mpsc::sync_channel;

/// Blocks that are read before they are compared.
const AHEAD: usize = 2;
/// So few samples are read one by one, and not with all others.
pub(super) const FEW: usize = 4096;

impl dyn PartlyRead + '_ {
    /// What is nearest, found by comparing every sample. By views, which have a `calibration`, as many are found as are compared again
    /// by what labels say. `None` if something is damaged or missing.
    pub(super) fn nearest_of_all(
        &self,
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop> {
        let passing = search.passing(calibration);
        let Some(allowed) = self.allowed(search.among)? else { return Ok(None) };
        match allowed {
            Allowed::Few(ids) => Ok(self.nearest_of_few(&ids, passing)?),
            allowed => self.pass_blocks(passing, &allowed, |take| self.blocks(reporter, take)),
        }
    }

    /// Which ids samples may have to be neighbours.
    pub(super) fn allowed(&self, among: &Among) -> Part<Allowed> {
        Ok(match among {
            Among::All => Some(Allowed::All),
            Among::Labels(labels) => self.with_labels(labels)?.map(|ids| match ids.len() {
                ..=FEW => Allowed::Few(ids),
                _ => Allowed::Many(ids),
            }),
        })
    }

    /// What is nearest of the samples with these ids, which rise.
    pub(super) fn nearest_of_few(&self, ids: &[i64], mut passing: Passing<'_>) -> Part<Nearest> {
        let (looks, count) = (self.looks(ids)?, self.count(PREPARED.saturating_add(1))?);
        Ok(looks.zip(count).map(|(looks, count)| {
            passing.pass(&looks, ids, |_| true);
            Nearest { ids: passing.numbers(), count, approximate: false }
        }))
    }

    /// What is nearest of the samples that `read` passes on. They are read on this thread while others are compared.
    pub(super) fn pass_blocks(
        &self,
        mut passing: Passing<'_>,
        allowed: &Allowed,
        read: impl FnOnce(&mut dyn FnMut(Block) -> bool) -> Result<Option<()>, Stop>,
    ) -> Result<Option<Nearest>, Stop> {
        let dimension = self.model().config.embedding;
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel(AHEAD);
            let compared = scope.spawn(move || {
                let mut count = 0;
                for block in receive {
                    let block: Block = block;
                    count += block.samples.len();
                    passing.pass(&block.looks(dimension)?, &block.samples, |id| allowed.has(id));
                }
                Some(Nearest { ids: passing.numbers(), count, approximate: false })
            });
            let read = read(&mut |block| send.send(block).is_ok());
            drop(send);
            let compared = compared.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok(read?.and(compared))
        })
    }
}
