//! The moving average that a batch-norm layer keeps, and the two errors in it.
//!
//! After `k` batches with momentum `m` the layer keeps `w·s₀ + Σ m(1−m)^(k−i)·sᵢ`, where `s₀` is the
//! initial 0 (mean) or 1 (variance) and `w = (1−m)^k` its weight. Against the true statistic `S` of the
//! finished weights that is wrong by `w·(s₀ − S)`, what is left of the start, and by
//! `Σ m(1−m)^(k−i)·(sᵢ − S)`, statistics of weights that have since changed (with the chance of which
//! files stood in a batch). The first is known without any data and can be taken out; the second
//! goes only with frozen weights.

use crate::model::KeptStatistics;

/// What is left of the initial value after `batches` with this momentum, 0 to 1; for the plain
/// average (`None`) nothing after the first batch.
pub fn start_weight(momentum: Option<f64>, batches: u64) -> f64 {
    match momentum {
        None => f64::from(u8::from(batches == 0)),
        Some(m) => (1.0 - m.clamp(0.0, 1.0)).powf(batches as f64),
    }
}

/// Batches until less than `weight` of the initial value is left. `None` where that never happens.
pub fn batches_until(weight: f64, momentum: f64) -> Option<u64> {
    if momentum >= 1.0 {
        return Some(1);
    }
    (momentum > 0.0).then(|| (weight.ln() / (1.0 - momentum).ln()).ceil() as u64)
}

/// Batches after which a batch weighs half of what it weighed.
pub fn half_life(momentum: f64) -> f64 {
    if momentum >= 1.0 { 0.0 } else { 0.5_f64.ln() / (1.0 - momentum).ln() }
}

/// By how much a kept number is wrong, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// What is left of the initial value.
    pub start: f64,
    /// Statistics of weights that have since changed, with the chance in the batches.
    pub stale: f64,
}

impl Errors {
    /// The errors of `kept` against the true value, where the initial one has weight `weight`.
    pub fn of(kept: f64, truth: f64, initial: f64, weight: f64) -> Self {
        let start = weight * (initial - truth);
        Self { start, stale: kept - truth - start }
    }

    /// Both together.
    pub fn total(self) -> f64 {
        self.start + self.stale
    }
}

/// `kept` with the initial values taken out, which have weight `weight` in it: `mean/(1−w)` and
/// `(variance−w)/(1−w)`. `None` where too little else is left, or a variance would be negative.
pub fn without_start(kept: &KeptStatistics, weight: f64) -> Option<KeptStatistics> {
    /// Below this share of batches, rounding would be blown up fifty times.
    const LEAST: f64 = 0.02;
    let left = 1.0 - weight;
    if left < LEAST {
        return None;
    }
    let mean = kept.mean.iter().map(|v| (f64::from(*v) / left) as f32).collect();
    let variance: Vec<f32> = kept.variance.iter().map(|v| ((f64::from(*v) - weight) / left) as f32).collect();
    // Rounding may leave a constant channel a hair below zero.
    let fits = variance.iter().all(|v| *v > -1e-5);
    let variance = variance.into_iter().map(|v| v.max(0.0)).collect();
    fits.then_some(KeptStatistics { mean, variance, batches: kept.batches })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BatchStatistics, KeptVariance};

    /// The figures of the literature: 44 batches for PyTorch's momentum, 459 for Keras'.
    #[test]
    fn the_start_is_forgotten_after_so_many_batches() {
        assert_eq!(batches_until(0.01, 0.1), Some(44));
        assert_eq!(batches_until(0.01, 0.01), Some(459));
        assert_eq!(batches_until(0.01, 0.001), Some(4603));
        assert_eq!((batches_until(0.01, 1.0), batches_until(0.01, 0.0)), (Some(1), None));
        assert!((half_life(0.1) - 6.58).abs() < 0.01 && (half_life(0.01) - 68.97).abs() < 0.01);
        assert!((start_weight(Some(0.01), 40) - 0.669).abs() < 1e-3);
        assert_eq!((start_weight(None, 0), start_weight(None, 1)), (1.0, 0.0));
    }

    #[test]
    fn the_start_can_be_taken_out_without_data() {
        let batch = BatchStatistics { mean: vec![3.0], variance: vec![0.2], count: 1_000_000 };
        let mut kept = KeptStatistics::new(1);
        (0..20).for_each(|_| kept.keep(&batch, Some(0.01), KeptVariance::Unbiased));
        let weight = start_weight(Some(0.01), 20);
        let errors = Errors::of(f64::from(kept.variance[0]), 0.2, 1.0, weight);
        assert!(errors.stale.abs() < 1e-5 && (errors.start - weight * 0.8).abs() < 1e-9);
        assert!((errors.total() - (f64::from(kept.variance[0]) - 0.2)).abs() < 1e-9);
        let mended = without_start(&kept, weight).unwrap();
        assert!((mended.mean[0] - 3.0).abs() < 1e-4 && (mended.variance[0] - 0.2).abs() < 1e-4);
        assert_eq!(without_start(&kept, 0.99), None);
        assert_eq!(without_start(&kept, 0.9), None, "a weight that cannot have been");
    }
}
