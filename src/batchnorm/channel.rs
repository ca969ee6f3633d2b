//! What a layer keeps, channel by channel, against what it should.
//!
//! A channel's *distance* is how far the kept statistics are from the true ones in the channel's own
//! units: the kept mean is `z` true deviations away, the kept deviation `e^s` times the true one, and
//! the distance is `√(z² + s²)`. Its *harm* is the root mean square by which the layer's output of
//! that channel changes between the modes, `|γ|·√(σ²(1/σ̂ − 1/ŝ)² + ((μ̂ − μ)/ŝ)²)` with `σ̂ = √(σ²+ε)`
//! and `ŝ = √(kept variance+ε)`: exact, whatever the values' distribution.

use crate::model::KeptStatistics;

/// Variances below this are those of a constant.
const DEAD: f64 = 1e-7;
/// Epsilon is in the way where it is more than this share of what is divided by.
const NEAR_EPSILON: f64 = 0.1;

/// What is to be said of a channel besides its distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    Sound,
    /// Its input is the same everywhere: it says nothing, and in train mode its output is β.
    Dead,
    /// Its variance is so small that epsilon takes part of the scale.
    NearEpsilon,
    /// What it keeps is not a number.
    NotANumber,
}

/// One channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Channel {
    /// Its number in the layer, from 0.
    pub index: usize,
    /// The kept mean and variance.
    pub kept: [f64; 2],
    /// Those of the whole set.
    pub truth: [f64; 2],
    /// The scale that training gave it.
    pub gamma: f64,
    /// Kept mean less true mean, in true deviations.
    pub mean_off: f64,
    /// ln of kept variance over true variance, each with epsilon.
    pub log_ratio: f64,
    /// How far the kept statistics are from the true ones; infinite if they are not numbers.
    pub distance: f64,
    /// Root mean square change of its output between the modes; infinite likewise.
    pub harm: f64,
    /// What else is to be said of it.
    pub condition: Condition,
}

/// One layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// Its channels in order.
    pub channels: Vec<Channel>,
    /// Mean of |ln of kept variance over true variance|: what verdicts go by.
    pub log_ratio: f64,
    /// Root mean square of the means' distances in true deviations.
    pub mean_off: f64,
    /// Mean distance.
    pub distance: f64,
    /// Median of true deviation over kept deviation: how much the layer shrinks (below 1) or
    /// swells its output in eval mode.
    pub gain: f64,
    /// Batches that went into what it keeps.
    pub batches: u64,
}

impl Layer {
    /// Its channels, the most harmful first.
    pub fn by_harm(&self) -> Vec<&Channel> {
        let mut channels: Vec<&Channel> = self.channels.iter().collect();
        channels.sort_by(|a, b| b.harm.total_cmp(&a.harm));
        channels
    }

    /// How many of its channels are in this condition.
    pub fn count(&self, condition: Condition) -> usize {
        self.channels.iter().filter(|channel| channel.condition == condition).count()
    }
}

/// Compares what a layer keeps with the truth. `gamma` are its scales.
pub fn layer(kept: &KeptStatistics, truth: &KeptStatistics, gamma: &[f32], epsilon: f64) -> Layer {
    let numbers = kept.mean.iter().zip(&kept.variance).zip(truth.mean.iter().zip(&truth.variance));
    let channels: Vec<Channel> = numbers
        .zip(gamma)
        .enumerate()
        .map(|(index, (((kept_mean, kept_variance), (mean, variance)), gamma))| {
            let wide = |v: &f32| f64::from(*v);
            channel(
                index,
                [wide(kept_mean), wide(kept_variance)],
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
        mean_off: mean(&|channel| channel.mean_off.powi(2)).sqrt(),
        distance: mean(&|channel| channel.distance),
        gain: gains.get(gains.len() / 2).copied().unwrap_or(1.0),
        batches: kept.batches,
        channels,
    }
}

fn channel(index: usize, kept: [f64; 2], truth: [f64; 2], gamma: f64, epsilon: f64) -> Channel {
    let [kept_mean, kept_variance] = kept;
    let [mean, variance] = truth;
    let finite = kept_mean.is_finite() && kept_variance.is_finite() && kept_variance > -epsilon;
    let condition = if !finite {
        Condition::NotANumber
    } else if variance < DEAD {
        Condition::Dead
    } else if epsilon / (variance + epsilon) > NEAR_EPSILON {
        Condition::NearEpsilon
    } else {
        Condition::Sound
    };
    let (mean_off, log_ratio, harm) = if finite {
        let (scale, kept_scale) = ((variance + epsilon).sqrt(), (kept_variance + epsilon).sqrt());
        let spread = variance * (1.0 / scale - 1.0 / kept_scale).powi(2);
        let shift = ((kept_mean - mean) / kept_scale).powi(2);
        let log_ratio = 2.0 * (kept_scale / scale).ln();
        ((kept_mean - mean) / scale, log_ratio, gamma.abs() * (spread + shift).sqrt())
    } else {
        [f64::INFINITY; 3].into()
    };
    let distance = (mean_off.powi(2) + (log_ratio / 2.0).powi(2)).sqrt();
    Channel { index, kept, truth, gamma, mean_off, log_ratio, distance, harm, condition }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(mean: &[f32], variance: &[f32]) -> KeptStatistics {
        KeptStatistics { mean: mean.to_vec(), variance: variance.to_vec(), batches: 9 }
    }

    /// Harm against its definition: the change of the output over actual values.
    #[test]
    fn harm_is_the_change_of_the_output() {
        let values = [0.3_f64, -1.2, 2.2, 5.0, 0.1, 0.1];
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let (kept_mean, kept_variance, gamma, epsilon) = (0.2, 1.7, -1.4, 1e-3);
        let change = values
            .iter()
            .map(|x| {
                let train = gamma * (x - mean) / (variance + epsilon).sqrt();
                let eval = gamma * (x - kept_mean) / (kept_variance + epsilon).sqrt();
                (train - eval).powi(2)
            })
            .sum::<f64>()
            / n;
        let found = channel(0, [kept_mean, kept_variance], [mean, variance], gamma, epsilon);
        assert!((found.harm - change.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_is_kept_rightly_has_no_distance_and_the_rest_is_named() {
        let truth = kept(&[1.0, 0.0, 0.0, 0.0], &[4.0, 0.0, 2e-5, 1.0]);
        let same = layer(&truth, &truth, &[1.0; 4], 1e-5);
        assert_eq!((same.distance, same.log_ratio, same.gain, same.batches), (0.0, 0.0, 1.0, 9));
        let off = layer(&kept(&[3.0, 0.0, 0.0, 0.0], &[4.0, 1.0, 2e-5, f32::NAN]), &truth, &[1.0; 4], 1e-5);
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
