//! A search in a large library: which samples are nearest to some queries, all of them or those with certain labels.

use super::PartlyRead;
use super::block::Block;
use super::partly_read::{Found, Part};
use crate::job::{Reporter, Stop};
use crate::model::Calibration;
use crate::search::{Looks, Passing};
use std::collections::HashSet;
use std::sync::mpsc::sync_channel;

/// Blocks that are read before they are compared.
const AHEAD: usize = 2;
/// So few samples are read one by one, and not with all others.
const FEW: usize = 4000;

/// Which samples may be neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Among {
    /// All.
    #[default]
    All,
    /// Those with one of these labels.
    Labels(Vec<String>),
}

impl Among {
    /// Whether a sample with this label may be a neighbour.
    pub fn has(&self, label: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Labels(labels) => label.is_some_and(|label| labels.iter().any(|one| one == label)),
        }
    }
}

/// What is searched for.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// What the queries look like.
    pub queries: &'a Looks,
    /// How many neighbours each may have.
    pub k: usize,
    /// Which samples may be neighbours.
    pub among: &'a Among,
    /// Whether an engine that has an approximate index may not use it.
    pub exact: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Nearest {
    /// The ids of the samples among which the nearest of each query are, in ascending order.
    pub ids: Vec<i64>,
    /// Samples of the library.
    pub count: usize,
    /// Whether nearer ones may have been missed.
    pub approximate: bool,
}

impl dyn PartlyRead + '_ {
    /// What is nearest, found by comparing every sample. By views, which have a `calibration`, as many are found as are compared again
    /// by what labels say. `None` if something is damaged or missing.
    pub(super) fn nearest_of_all(
        &self,
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop> {
        // One more, since a sample finds itself.
        let passing = Passing::new(search.queries, calibration, search.k.saturating_add(1));
        let allowed = match search.among {
            Among::All => None,
            Among::Labels(labels) => {
                let Some(ids) = self.with_labels(labels)? else { return Ok(None) };
                if ids.len() <= FEW {
                    return Ok(self.nearest_of_few(&ids, passing)?);
                }
                Some(ids.into_iter().collect())
            }
        };
        self.pass_all(passing, allowed, reporter)
    }

    fn nearest_of_few(&self, ids: &[i64], mut passing: Passing<'_>) -> Part<Nearest> {
        let mut found = Found::new();
        let (read, count) = (self.read(ids, &mut found)?, self.count()?);
        let (Some(()), Some(count)) = (read, count) else { return Ok(None) };
        let mut looks = Looks::new(self.model().config.embedding);
        found.values().for_each(|row| looks.push(&row.look));
        passing.pass(&looks, ids, |_| true);
        Ok(Some(Nearest { ids: passing.numbers(), count, approximate: false }))
    }

    /// Samples are read on this thread while others are compared.
    fn pass_all(
        &self,
        mut passing: Passing<'_>,
        allowed: Option<HashSet<i64>>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop> {
        let dimension = self.model().config.embedding;
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel(AHEAD);
            let compared = scope.spawn(move || {
                let mut count = 0;
                for block in receive {
                    let block: Block = block;
                    count += block.samples.len();
                    let is_allowed = |id| allowed.as_ref().is_none_or(|allowed| allowed.contains(&id));
                    passing.pass(&block.looks(dimension)?, &block.samples, is_allowed);
                }
                Some(Nearest { ids: passing.numbers(), count, approximate: false })
            });
            let read = self.blocks(reporter, &mut |block| send.send(block).is_ok());
            drop(send);
            let compared = compared.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok(read?.and(compared))
        })
    }
}
