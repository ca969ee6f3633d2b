//! The cause of the difference between the modes, in the numbers of one channel: what it keeps, what is true, and how
//! much of what it keeps is still the initial value.
//!
//! The channel is the most harmful one of the layer whose variances are furthest off, which the verdict is based on.
//! What it keeps is the sum of what is true, of the initial value's share `w·(s₀ − S)` and of staleness (see
//! [`moving_average`](super::moving_average)).

use super::channel::{Channel, Condition, Layer};
use super::moving_average::{Errors, initial_weight_in};
use crate::model::StatisticsSource;

/// Mean |ln variance ratio| of a layer below which its statistics agree with those of the files.
const AGREES: f64 = 0.1;
/// A mean is off by this many standard deviations, or nothing is off.
const OFF: f64 = 0.1;

/// Which of the two statistics of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Its mean, which starts at 0.
    Mean,
    /// Its variance, which starts at 1.
    Variance,
}

impl Statistic {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Variance => "variance",
        }
    }
}

/// Why what a channel keeps differs from what is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It does not differ.
    Agrees,
    /// It is still the initial value.
    Start,
    /// It was measured with earlier weights, or on the chance of few files.
    Staleness,
    /// It was computed over other files.
    OtherFiles,
    /// It is not a number.
    NotANumber,
}

/// The cause, in the numbers of one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cause {
    /// The layer, from 0.
    pub layer: usize,
    /// The channel, from 0.
    pub channel: Channel,
    /// Which statistic is off.
    pub statistic: Statistic,
    /// What the channel keeps of it.
    pub kept: f64,
    /// What it is over the files.
    pub pooled: f64,
    /// What it started as, 0 or 1.
    pub start: f64,
    /// The weight that the start still has, 0 to 1.
    pub weight: f64,
    /// `kept − pooled`, by cause.
    pub errors: Errors,
    /// Why they differ.
    pub reason: Reason,
}

/// The cause in `layers`, whose running statistics are from `source`. `None` without layers.
pub fn cause(layers: &[Layer], source: StatisticsSource) -> Option<Cause> {
    let broken = layers.iter().position(|layer| layer.count(Condition::NotANumber) > 0);
    let worst = broken.or_else(|| {
        let by_ratio = |a: &(usize, &Layer), b: &(usize, &Layer)| a.1.log_ratio.total_cmp(&b.1.log_ratio);
        // Of equal ones the first: what follows gets its distorted output.
        layers.iter().enumerate().rev().max_by(by_ratio).map(|(i, _)| i)
    })?;
    let layer = layers.get(worst)?;
    let channel = **layer.by_harm().first()?;
    let off_in_mean =
        channel.mean_shift.abs() > OFF && channel.log_ratio.abs() < AGREES && layer.log_ratio < AGREES;
    let (statistic, i, start) =
        if off_in_mean { (Statistic::Mean, 0, 0.0) } else { (Statistic::Variance, 1, 1.0) };
    let (kept, pooled) = (channel.running[i], channel.pooled[i]);
    let weight = initial_weight_in(source, layer.batches);
    let errors = Errors::new(kept, pooled, start, weight);
    let reason = if broken.is_some() {
        Reason::NotANumber
    } else if layer.log_ratio < AGREES && !off_in_mean {
        Reason::Agrees
    } else if source == StatisticsSource::Recomputed {
        Reason::OtherFiles
    } else if errors.initial.abs() >= errors.staleness.abs() {
        Reason::Start
    } else {
        Reason::Staleness
    };
    Some(Cause { layer: worst, channel, statistic, kept, pooled, start, weight, errors, reason })
}

impl Cause {
    /// `kept` as a sum of true, start and stale, rounded to `digits` decimals so that the parts add up to the rounded whole.
    pub fn sum(&self, digits: i32) -> [f64; 4] {
        let unit = 10_f64.powi(digits);
        let round = |v: f64| (v * unit).round();
        let (kept, pooled, start) = (round(self.kept), round(self.pooled), round(self.errors.initial));
        [kept, pooled, start, kept - pooled - start].map(|v| v / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batchnorm::compare_layer;
    use crate::model::RunningStatistics;

    const KERAS: StatisticsSource = StatisticsSource::Moving { momentum: 0.01 };

    fn layer(running: [&[f32]; 2], pooled: [&[f32]; 2], batches: u64) -> Layer {
        let statistics = |[mean, variance]: [&[f32]; 2]| RunningStatistics {
            mean: mean.to_vec(),
            variance: variance.to_vec(),
            batches,
        };
        compare_layer(&statistics(running), &statistics(pooled), &vec![1.0; running[0].len()], 1e-5)
    }

    #[test]
    fn the_worst_layers_most_harmful_channel_keeps_what_is_true_and_what_is_left_of_the_start() {
        let mild = layer([&[0.0], &[0.9]], [&[0.0], &[0.7]], 40);
        let worst = layer([&[0.0, 0.0], &[0.8, 0.671]], [&[0.0, 0.0], &[0.4, 0.0078]], 40);
        let found = cause(&[mild, worst], KERAS).unwrap();
        assert_eq!((found.layer, found.channel.index, found.reason), (1, 1, Reason::Start));
        assert_eq!(found.statistic, Statistic::Variance);
        assert!((found.weight - 0.669).abs() < 1e-3);
        let [kept, pooled, start, stale] = found.sum(4);
        assert_eq!((kept, pooled, start), (0.671, 0.0078, 0.6638));
        assert!((stale - -0.0006).abs() < 1e-9 && (kept - pooled - start - stale).abs() < 1e-12);
    }

    #[test]
    fn other_causes_are_told_apart() {
        let reason = |layer: Layer, source| cause(&[layer], source).unwrap().reason;
        let same = || layer([&[0.1], &[0.5]], [&[0.1], &[0.5]], 40);
        assert_eq!(reason(same(), KERAS), Reason::Agrees);
        // Long trained: nothing is left of the start.
        let lagging = layer([&[0.0], &[0.2]], [&[0.0], &[0.5]], 2000);
        assert_eq!(reason(lagging.clone(), KERAS), Reason::Staleness);
        assert_eq!(reason(lagging, StatisticsSource::Recomputed), Reason::OtherFiles);
        let nan = layer([&[0.0], &[f32::NAN]], [&[0.0], &[0.5]], 40);
        let whole = layer([&[0.0], &[0.9]], [&[0.0], &[0.1]], 40);
        let found = cause(&[whole, nan], KERAS).unwrap();
        assert_eq!((found.layer, found.reason), (1, Reason::NotANumber));
        let mean = layer([&[0.3], &[0.5]], [&[1.0], &[0.5]], 40);
        let found = cause(&[mean], KERAS).unwrap();
        assert_eq!((found.statistic, found.start, found.kept), (Statistic::Mean, 0.0, f64::from(0.3_f32)));
        assert_eq!(cause(&[], KERAS), None);
    }
}
