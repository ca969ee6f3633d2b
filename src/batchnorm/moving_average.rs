//! The moving average of a batch-norm layer, and its two errors.
//!
//! After `k` batches with momentum `m` the running statistic is `w·s₀ + Σ m(1−m)^(k−i)·sᵢ`, where `s₀` is the
//! initial value, 0 (mean) or 1 (variance), and `w = (1−m)^k` its weight. Against the pooled statistic `S` of
//! the final weights it has two errors: `w·(s₀ − S)`, the initial value's share, and
//! `Σ m(1−m)^(k−i)·(sᵢ − S)`, staleness: statistics of earlier weights, and the chance of which files were in
//! a batch. The first is known without any data and can be removed; the second only by measuring with frozen
//! weights.

use crate::model::{RunningStatistics, RunningVariance, StatisticsSource, Trace};

/// The weight of the initial value after `batches` with this momentum, 0 to 1; for the plain average (`None`)
/// 0 from the first batch on.
pub fn initial_weight(momentum: Option<f64>, batches: u64) -> f64 {
    match momentum {
        None => f64::from(u8::from(batches == 0)),
        Some(m) => (1.0 - m.clamp(0.0, 1.0)).powf(batches as f64),
    }
}

/// The weight of the initial value in statistics from `source`.
pub fn initial_weight_in(source: StatisticsSource, batches: u64) -> f64 {
    match source {
        StatisticsSource::Moving { momentum } => initial_weight(Some(momentum), batches),
        _ => 0.0,
    }
}

/// Batches until the initial value has at most this weight. `None` if it never does.
pub fn batches_until(weight: f64, momentum: f64) -> Option<u64> {
    if momentum >= 1.0 {
        return Some(1);
    }
    (momentum > 0.0).then(|| (weight.ln() / (1.0 - momentum).ln()).ceil() as u64)
}

/// Batches after which the weight of a batch has halved.
pub fn half_life(momentum: f64) -> f64 {
    if momentum >= 1.0 { 0.0 } else { 0.5_f64.ln() / (1.0 - momentum).ln() }
}

/// The errors of a running statistic, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// The share of the initial value.
    pub initial: f64,
    /// Statistics of earlier weights, and the chance of which files were in a batch.
    pub staleness: f64,
}

impl Errors {
    /// The errors of `running` against the pooled value, where the initial value `start` has this weight.
    pub fn new(running: f64, pooled: f64, start: f64, weight: f64) -> Self {
        let initial = weight * (start - pooled);
        Self { initial, staleness: running - pooled - initial }
    }

    /// Both together.
    #[cfg(test)]
    fn total(self) -> f64 {
        self.initial + self.staleness
    }
}

/// The errors of a layer's running variances relative to the pooled ones: absolute values averaged over its
/// channels. Constant channels have no scale to compare with and do not count.
pub(super) fn variance_errors(
    running: &RunningStatistics,
    pooled: &RunningStatistics,
    weight: f64,
) -> Errors {
    /// A variance below this is that of a constant.
    const CONSTANT: f32 = 1e-7;
    let channels = running.variance.iter().zip(&pooled.variance).filter(|(_, pooled)| **pooled > CONSTANT);
    let (mut sum, mut n) = (Errors::default(), 0.0);
    for (running, pooled) in channels {
        let pooled = f64::from(*pooled);
        let errors = Errors::new(f64::from(*running), pooled, 1.0, weight);
        sum.initial += errors.initial.abs() / pooled;
        sum.staleness += errors.staleness.abs() / pooled;
        n += 1.0;
    }
    if n > 0.0 { Errors { initial: sum.initial / n, staleness: sum.staleness / n } } else { sum }
}

/// The same at each step of a training at which the pooled statistics were measured. `momentum` as in
/// [`RunningStatistics::update`].
pub fn errors_by_step(
    trace: &Trace,
    layer: usize,
    momentum: Option<f64>,
    which: RunningVariance,
) -> Vec<(usize, Errors)> {
    let mut out = Vec::new();
    let mut running: Option<RunningStatistics> = None;
    let mut pooled = trace.pooled.iter().peekable();
    for (step, batch) in trace.batches.iter().enumerate() {
        let Some(batch) = batch.get(layer) else { break };
        let running = running.get_or_insert_with(|| RunningStatistics::new(batch.mean.len()));
        running.update(batch, momentum, which);
        while let Some((at, layers)) = pooled.next_if(|(at, _)| *at == step + 1) {
            if let Some(pooled) = layers.get(layer) {
                out.push((*at, variance_errors(running, pooled, initial_weight(momentum, *at as u64))));
            }
        }
    }
    out
}

/// `running` without the share of the initial values, whose weight in it is `weight`: `mean/(1−w)` and
/// `(variance−w)/(1−w)`. `None` if too little else is left, or a variance would be negative.
pub(super) fn debias(running: &RunningStatistics, weight: f64) -> Option<RunningStatistics> {
    /// With a smaller share of batches, rounding errors would grow more than 50 times.
    const LEAST: f64 = 0.02;
    let left = 1.0 - weight;
    if left < LEAST {
        return None;
    }
    let mean = running.mean.iter().map(|v| (f64::from(*v) / left) as f32).collect();
    let variance: Vec<f32> =
        running.variance.iter().map(|v| ((f64::from(*v) - weight) / left) as f32).collect();
    // Rounding may leave a constant channel slightly below zero.
    let fits = variance.iter().all(|v| *v > -1e-5);
    let variance = variance.into_iter().map(|v| v.max(0.0)).collect();
    fits.then_some(RunningStatistics { mean, variance, batches: running.batches })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BatchStatistics;

    /// Known figures: 44 batches for PyTorch's momentum, 459 for Keras'.
    #[test]
    fn the_initial_value_fades_after_the_known_number_of_batches() {
        assert_eq!(batches_until(0.01, 0.1), Some(44));
        assert_eq!(batches_until(0.01, 0.01), Some(459));
        assert_eq!(batches_until(0.01, 0.001), Some(4603));
        assert_eq!((batches_until(0.01, 1.0), batches_until(0.01, 0.0)), (Some(1), None));
        assert!((half_life(0.1) - 6.58).abs() < 0.01 && (half_life(0.01) - 68.97).abs() < 0.01);
        assert!((initial_weight(Some(0.01), 40) - 0.669).abs() < 1e-3);
        assert_eq!((initial_weight(None, 0), initial_weight(None, 1)), (1.0, 0.0));
    }

    #[test]
    fn errors_are_given_for_the_steps_with_pooled_statistics() {
        let batch = |v: f32| vec![BatchStatistics { mean: vec![0.0], variance: vec![v], count: 1_000_000 }];
        let pooled = |v: f32| vec![RunningStatistics { mean: vec![0.0], variance: vec![v], batches: 0 }];
        let trace = Trace {
            batches: vec![batch(0.5), batch(0.5), batch(0.25)],
            pooled: vec![(2, pooled(0.5)), (3, pooled(0.25))],
        };
        let errors = errors_by_step(&trace, 0, Some(0.1), RunningVariance::Biased);
        let steps: Vec<usize> = errors.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [2, 3]);
        // While nothing changes there is no staleness: the initial value has weight 0.81, times its relative
        // error of 1.
        assert!((errors[0].1.initial - 0.81).abs() < 1e-5 && errors[0].1.staleness < 1e-5);
        // Then 0.729·3, and two old batches of twice the variance: 0.09 + 0.081.
        assert!((errors[1].1.initial - 2.187).abs() < 1e-5 && (errors[1].1.staleness - 0.171).abs() < 1e-5);
        assert!(errors_by_step(&trace, 1, None, RunningVariance::Biased).is_empty());
    }

    #[test]
    fn the_initial_value_can_be_removed_without_data() {
        let batch = BatchStatistics { mean: vec![3.0], variance: vec![0.2], count: 1_000_000 };
        let mut running = RunningStatistics::new(1);
        (0..20).for_each(|_| running.update(&batch, Some(0.01), RunningVariance::Unbiased));
        let weight = initial_weight(Some(0.01), 20);
        let errors = Errors::new(f64::from(running.variance[0]), 0.2, 1.0, weight);
        assert!(errors.staleness.abs() < 1e-5 && (errors.initial - weight * 0.8).abs() < 1e-9);
        assert!((errors.total() - (f64::from(running.variance[0]) - 0.2)).abs() < 1e-9);
        let debiased = debias(&running, weight).unwrap();
        assert!((debiased.mean[0] - 3.0).abs() < 1e-4 && (debiased.variance[0] - 0.2).abs() < 1e-4);
        assert_eq!(debias(&running, 0.99), None);
        assert_eq!(debias(&running, 0.9), None, "the running variance is too small for this weight");
    }
}
