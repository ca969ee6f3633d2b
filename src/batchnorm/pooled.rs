//! Pooled statistics: mean and variance over a whole set, from the statistics of its batches.

use crate::model::{BatchStatistics, RunningStatistics};

/// Sums of one layer over many batches, from which its pooled statistics follow.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    count: f64,
    batches: u64,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl Pool {
    /// Adds one batch, weighted by its number of values.
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

    /// Mean and unbiased variance over all batches. `None` before the second value.
    pub fn statistics(&self) -> Option<RunningStatistics> {
        if self.count < 2.0 {
            return None;
        }
        let mean: Vec<f64> = self.sum.iter().map(|sum| sum / self.count).collect();
        let unbiased = self.count / (self.count - 1.0);
        let variance = self.squares.iter().zip(&mean);
        Some(RunningStatistics {
            variance: variance
                .map(|(squares, mean)| ((squares / self.count - mean * mean).max(0.0) * unbiased) as f32)
                .collect(),
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
            batches: self.batches,
        })
    }
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
        let mut pool = Pool::default();
        assert_eq!(pool.statistics(), None);
        pool.add(&batch(&[1.0, 2.0, 4.0]));
        pool.add(&batch(&[10.0, 20.0]));
        // Of 1, 2, 4, 10, 20: mean 7.4, unbiased variance 61.8.
        let pooled = pool.statistics().unwrap();
        assert!((pooled.mean[0] - 7.4).abs() < 1e-5);
        assert!((pooled.variance[0] - 61.8).abs() < 1e-4);
        assert_eq!(pooled.batches, 2);
    }
}
