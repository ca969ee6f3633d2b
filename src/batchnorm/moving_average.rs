//! The moving average that a batch-norm layer keeps, and the two errors in it.
//!
//! After `k` batches with momentum `m` the layer keeps `w·s₀ + Σ m(1−m)^(k−i)·sᵢ`, where `s₀` is the
//! initial 0 (mean) or 1 (variance) and `w = (1−m)^k` its weight. Against the true statistic `S` of the
//! finished weights that is wrong by `w·(s₀ − S)`, what is left of the start, and by
//! `Σ m(1−m)^(k−i)·(sᵢ − S)`, statistics of weights that have since changed (with the chance of which
//! files stood in a batch). The first is known without any data and can be taken out; the second
//! goes only with frozen weights.

use crate::model::{KeptStatistics, KeptVariance, Trace};

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

/// The errors of a layer's kept variances, relative to the true ones, averaged over its channels without
/// their sign. Constant channels have no scale to compare with and are left out.
pub fn variance_errors(kept: &KeptStatistics, truth: &KeptStatistics, weight: f64) -> Errors {
    /// Variances below this are those of a constant.
    const CONSTANT: f32 = 1e-7;
    let channels = kept.variance.iter().zip(&truth.variance).filter(|(_, truth)| **truth > CONSTANT);
    let (mut sum, mut n) = (Errors::default(), 0.0);
    for (kept, truth) in channels {
        let truth = f64::from(*truth);
        let errors = Errors::of(f64::from(*kept), truth, 1.0, weight);
        sum.start += errors.start.abs() / truth;
        sum.stale += errors.stale.abs() / truth;
        n += 1.0;
    }
    if n > 0.0 { Errors { start: sum.start / n, stale: sum.stale / n } } else { sum }
}

/// The same at each step of a training at which the truth was measured. `momentum` as in
/// [`KeptStatistics::keep`].
pub fn errors_by_step(
    trace: &Trace,
    layer: usize,
    momentum: Option<f64>,
    which: KeptVariance,
) -> Vec<(usize, Errors)> {
    let mut out = Vec::new();
    let mut kept: Option<KeptStatistics> = None;
    let mut truths = trace.truths.iter().peekable();
    for (step, batch) in trace.batches.iter().enumerate() {
        let Some(batch) = batch.get(layer) else { break };
        let kept = kept.get_or_insert_with(|| KeptStatistics::new(batch.mean.len()));
        kept.keep(batch, momentum, which);
        while let Some((at, layers)) = truths.next_if(|(at, _)| *at == step + 1) {
            if let Some(truth) = layers.get(layer) {
                out.push((*at, variance_errors(kept, truth, start_weight(momentum, *at as u64))));
            }
        }
    }
    out
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
    fn errors_are_told_at_the_steps_at_which_the_truth_is_known() {
        let batch = |v: f32| vec![BatchStatistics { mean: vec![0.0], variance: vec![v], count: 1_000_000 }];
        let truth = |v: f32| vec![KeptStatistics { mean: vec![0.0], variance: vec![v], batches: 0 }];
        let trace = Trace {
            batches: vec![batch(0.5), batch(0.5), batch(0.25)],
            truths: vec![(2, truth(0.5)), (3, truth(0.25))],
        };
        let errors = errors_by_step(&trace, 0, Some(0.1), KeptVariance::Biased);
        let steps: Vec<usize> = errors.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [2, 3]);
        // While nothing changes there is no staleness: 0.81 of the start is left, once the true variance.
        assert!((errors[0].1.start - 0.81).abs() < 1e-5 && errors[0].1.stale < 1e-5);
        // Then 0.729·3 of it, and two old batches of twice the variance: 0.09 + 0.081.
        assert!((errors[1].1.start - 2.187).abs() < 1e-5 && (errors[1].1.stale - 0.171).abs() < 1e-5);
        assert!(errors_by_step(&trace, 1, None, KeptVariance::Biased).is_empty());
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
