//! Recomputed statistics: mean and variance of each layer's input over a whole set, with the
//! weights frozen.
//!
//! The set is passed through in train mode, a batch at a time, and the batches' statistics are
//! pooled exactly (Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021, call it PreciseBN).
//! Neither the initial 0 and 1 nor statistics of earlier weights are left in them.

use super::in_batches;
use crate::job::{Reporter, Stop};
use crate::model::{BatchStatistics, KeptStatistics, Mode, Network, picture_batch};
use crate::picture::{Encoded, PictureSpec, View};

/// Sums from which the statistics of many batches together follow, for one layer.
#[derive(Clone, Debug, Default)]
pub struct PooledStatistics {
    count: f64,
    batches: u64,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl PooledStatistics {
    /// Takes in one batch, weighted by its number of values.
    pub fn add(&mut self, batch: &BatchStatistics) {
        let n = batch.count as f64;
        self.sum.resize(batch.mean.len(), 0.0);
        self.squares.resize(batch.mean.len(), 0.0);
        for (i, (mean, variance)) in batch.mean.iter().zip(&batch.variance).enumerate() {
            let (mean, variance) = (f64::from(*mean), f64::from(*variance));
            self.sum[i] += n * mean;
            self.squares[i] += n * (variance + mean * mean);
        }
        self.count += n;
        self.batches += 1;
    }

    /// What a layer should keep: the mean, and the unbiased variance, over everything taken in.
    /// `None` before the second value.
    pub fn kept(&self) -> Option<KeptStatistics> {
        if self.count < 2.0 {
            return None;
        }
        let mean: Vec<f64> = self.sum.iter().map(|sum| sum / self.count).collect();
        let unbiased = self.count / (self.count - 1.0);
        let variance = self.squares.iter().zip(&mean);
        Some(KeptStatistics {
            variance: variance
                .map(|(squares, mean)| ((squares / self.count - mean * mean).max(0.0) * unbiased) as f32)
                .collect(),
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
            batches: self.batches,
        })
    }
}

/// The statistics of every layer over `pictures`, in batches of `batch_size` in the order given
/// (shuffle it: a batch of one label is not like the set). Empty for a network without batch
/// normalisation. The network is not changed.
pub fn recompute(
    network: &Network,
    spec: PictureSpec,
    pictures: &[&Encoded],
    batch_size: usize,
    reporter: &Reporter,
) -> Result<Vec<KeptStatistics>, Stop> {
    let mut pools = vec![PooledStatistics::default(); network.kept.len()];
    if pools.is_empty() {
        return Ok(Vec::new());
    }
    let stage = reporter.stage("Recomputing batch-norm statistics", pictures.len());
    for batch in in_batches(pictures, batch_size) {
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
        .map(PooledStatistics::kept)
        .collect::<Option<_>>()
        .ok_or_else(|| Stop::Failed("no pictures to recompute statistics over".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_batches_equals_measuring_all_at_once() {
        let batch = |values: &[f64]| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            BatchStatistics { mean: vec![mean as f32], variance: vec![variance as f32], count: values.len() }
        };
        let mut pool = PooledStatistics::default();
        assert_eq!(pool.kept(), None);
        pool.add(&batch(&[1.0, 2.0, 4.0]));
        pool.add(&batch(&[10.0, 20.0]));
        // Of 1, 2, 4, 10, 20: mean 7.4, unbiased variance 61.8.
        let kept = pool.kept().unwrap();
        assert!((kept.mean[0] - 7.4).abs() < 1e-5);
        assert!((kept.variance[0] - 61.8).abs() < 1e-4);
        assert_eq!(kept.batches, 2);
    }
}
