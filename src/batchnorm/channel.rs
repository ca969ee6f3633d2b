//! The running statistics of a layer against the pooled ones, channel by channel.
//!
//! A channel's *distance* is how far its running statistics are from the pooled ones, in the channel's own
//! units: if the running mean is `z` pooled standard deviations away and the running standard deviation is
//! `e^s` times the pooled one, the distance is `√(z² + s²)`. Its *harm* is the root mean square change of the
//! channel's output between the modes, `|γ|·√(σ²(1/σ̂ − 1/ŝ)² + ((μ̂ − μ)/ŝ)²)` with pooled `μ`, `σ`, running
//! mean `μ̂`, `σ̂ = √(σ²+ε)` and `ŝ = √(running variance+ε)`: exact, whatever the distribution of the values.

use crate::model::RunningStatistics;

/// A variance below this is that of a constant.
const DEAD: f64 = 1e-7;
/// Epsilon matters if it is more than this share of the variance that normalises.
const NEAR_EPSILON: f64 = 0.1;

/// The condition of a channel, apart from its distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is wrong.
    #[default]
    Sound,
    /// Its input is constant: it carries no information, and in train mode its output is β.
    Dead,
    /// Its variance is so small that epsilon changes its scale.
    NearEpsilon,
    /// Its running statistics are not finite.
    NotANumber,
}

/// One channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Channel {
    /// Its index in the layer, from 0.
    pub index: usize,
    /// Running mean and variance.
    pub running: [f64; 2],
    /// Pooled mean and variance.
    pub pooled: [f64; 2],
    /// Its trained scale.
    pub gamma: f64,
    /// Running mean minus pooled mean, in pooled standard deviations.
    pub mean_shift: f64,
    /// ln(running variance / pooled variance), each with epsilon added.
    pub log_ratio: f64,
    /// Distance of the running statistics from the pooled ones; infinite if they are not finite.
    pub distance: f64,
    /// Root mean square change of its output between the modes; infinite if they are not finite.
    pub harm: f64,
    /// Its condition.
    pub condition: Condition,
}

/// One layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// Its channels in order.
    pub channels: Vec<Channel>,
    /// Mean of |ln(running variance / pooled variance)|: what the verdict is based on.
    pub log_ratio: f64,
    /// Root mean square of the mean shifts, in pooled standard deviations.
    pub mean_shift: f64,
    /// Mean distance.
    pub distance: f64,
    /// Median of pooled over running standard deviation: the factor by which eval mode scales the layer's
    /// output; below 1 it shrinks.
    pub gain: f64,
    /// Batches in its running statistics.
    pub batches: u64,
}

impl Layer {
    /// Its channels, the most harmful first.
    pub fn by_harm(&self) -> Vec<&Channel> {
        let mut channels: Vec<&Channel> = self.channels.iter().collect();
        channels.sort_by(|a, b| b.harm.total_cmp(&a.harm));
        channels
    }

    /// The number of its channels in this condition.
    pub fn count(&self, condition: Condition) -> usize {
        self.channels.iter().filter(|channel| channel.condition == condition).count()
    }
}

/// Compares the running statistics of a layer with the pooled ones. `gamma` are its scales.
pub fn compare_layer(
    running: &RunningStatistics,
    pooled: &RunningStatistics,
    gamma: &[f32],
    epsilon: f64,
) -> Layer {
    let numbers = running.mean.iter().zip(&running.variance).zip(pooled.mean.iter().zip(&pooled.variance));
    let channels: Vec<Channel> = numbers
        .zip(gamma)
        .enumerate()
        .map(|(index, (((running_mean, running_variance), (mean, variance)), gamma))| {
            let wide = |v: &f32| f64::from(*v);
            compare_channel(
                index,
                [wide(running_mean), wide(running_variance)],
                [wide(mean), wide(variance)],
                wide(gamma),
                epsilon,
            )
        })
        .collect();
    let mean = |value: &dyn Fn(&Channel) -> f64| {
        channels.iter().map(value).sum::<f64>() / channels.len().max(1) as f64
    };
    let mut gains: Vec<f64> = channels.iter().map(|channel| (-channel.log_ratio / 2.0).exp()).collect();
    gains.sort_by(f64::total_cmp);
    Layer {
        log_ratio: mean(&|channel| channel.log_ratio.abs()),
        mean_shift: mean(&|channel| channel.mean_shift.powi(2)).sqrt(),
        distance: mean(&|channel| channel.distance),
        gain: gains.get(gains.len() / 2).copied().unwrap_or(1.0),
        batches: running.batches,
        channels,
    }
}

fn compare_channel(index: usize, running: [f64; 2], pooled: [f64; 2], gamma: f64, epsilon: f64) -> Channel {
    let [running_mean, running_variance] = running;
    let [mean, variance] = pooled;
    let finite = running_mean.is_finite() && running_variance.is_finite() && running_variance > -epsilon;
    let condition = if !finite {
        Condition::NotANumber
    } else if variance < DEAD {
        Condition::Dead
    } else if epsilon / (variance + epsilon) > NEAR_EPSILON {
        Condition::NearEpsilon
    } else {
        Condition::Sound
    };
    let (mean_shift, log_ratio, harm) = if finite {
        let (scale, running_scale) = ((variance + epsilon).sqrt(), (running_variance + epsilon).sqrt());
        let spread = variance * (1.0 / scale - 1.0 / running_scale).powi(2);
        let shift = ((running_mean - mean) / running_scale).powi(2);
        let log_ratio = 2.0 * (running_scale / scale).ln();
        ((running_mean - mean) / scale, log_ratio, gamma.abs() * (spread + shift).sqrt())
    } else {
        [f64::INFINITY; 3].into()
    };
    let distance = (mean_shift.powi(2) + (log_ratio / 2.0).powi(2)).sqrt();
    Channel { index, running, pooled, gamma, mean_shift, log_ratio, distance, harm, condition }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(mean: &[f32], variance: &[f32]) -> RunningStatistics {
        RunningStatistics { mean: mean.to_vec(), variance: variance.to_vec(), batches: 9 }
    }

    /// Harm against its definition: the change of the output over actual values.
    #[test]
    fn harm_is_the_change_of_the_output() {
        let values = [0.3_f64, -1.2, 2.2, 5.0, 0.1, 0.1];
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let (running_mean, running_variance, gamma, epsilon) = (0.2, 1.7, -1.4, 1e-3);
        let change = values
            .iter()
            .map(|x| {
                let train = gamma * (x - mean) / (variance + epsilon).sqrt();
                let eval = gamma * (x - running_mean) / (running_variance + epsilon).sqrt();
                (train - eval).powi(2)
            })
            .sum::<f64>()
            / n;
        let found = compare_channel(0, [running_mean, running_variance], [mean, variance], gamma, epsilon);
        assert!((found.harm - change.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn equal_statistics_have_no_distance_and_each_condition_is_found() {
        let pooled = statistics(&[1.0, 0.0, 0.0, 0.0], &[4.0, 0.0, 2e-5, 1.0]);
        let same = compare_layer(&pooled, &pooled, &[1.0; 4], 1e-5);
        assert_eq!((same.distance, same.log_ratio, same.gain, same.batches), (0.0, 0.0, 1.0, 9));
        let off = compare_layer(
            &statistics(&[3.0, 0.0, 0.0, 0.0], &[4.0, 1.0, 2e-5, f32::NAN]),
            &pooled,
            &[1.0; 4],
            1e-5,
        );
        let conditions: Vec<_> = off.channels.iter().map(|c| c.condition).collect();
        assert_eq!(
            conditions,
            [Condition::Sound, Condition::Dead, Condition::NearEpsilon, Condition::NotANumber]
        );
        assert!((off.channels[0].distance - 1.0).abs() < 1e-5);
        let order: Vec<usize> = off.by_harm().iter().map(|c| c.index).collect();
        assert_eq!(order[0], 3);
        assert_eq!(off.count(Condition::Dead), 1);
    }
}
