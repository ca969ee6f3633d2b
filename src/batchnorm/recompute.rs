//! Recomputed statistics: mean and variance of each layer's input over a whole set, with the weights frozen.
//!
//! The set passes through the network in train mode, a batch at a time, and the statistics of the batches are
//! pooled exactly (PreciseBN in Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021). They contain
//! neither the initial value nor statistics of earlier weights.

use super::batches::batches;
use super::pooled::Pool;
use crate::job::{Reporter, Stop};
use crate::model::{Mode, Network, RunningStatistics, picture_batch};
use crate::picture::{Encoded, PictureSpec, View};

/// The pooled statistics of every layer over `pictures`, in batches of `batch_size` in the given order. The
/// pictures should be shuffled, since a batch of one label does not represent the set. Empty for a network
/// without batch normalisation. The network is not changed.
pub fn recompute(
    network: &Network,
    spec: PictureSpec,
    pictures: &[&Encoded],
    batch_size: usize,
    reporter: &Reporter,
) -> Result<Vec<RunningStatistics>, Stop> {
    let mut pools = vec![Pool::default(); network.running.len()];
    if pools.is_empty() {
        return Ok(Vec::new());
    }
    let stage = reporter.stage("Recomputing batch-norm statistics", pictures.len());
    for batch in batches(pictures, batch_size) {
        reporter.check()?;
        let views: Vec<_> = batch.iter().map(|picture| (*picture, View::Whole)).collect();
        let forward = network.forward(&picture_batch(&views, spec)?, Mode::Train, false)?;
        for (pool, statistics) in pools.iter_mut().zip(&forward.statistics) {
            pool.add(statistics);
        }
        stage.advance(batch.len());
    }
    pools
        .iter()
        .map(Pool::statistics)
        .collect::<Option<_>>()
        .ok_or_else(|| Stop::failed("expected pictures to recompute statistics over, found none"))
}
