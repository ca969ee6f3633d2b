//! The choice of kernels for the heavy layers: our own on the CPU, candle's on any other device.

use super::statistics::{BatchStatistics, Normalise};
use super::{batch_norm, candle_kernels, convolution};
use candle_core::{Device, Result, Tensor};

/// Whose kernels compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// Ours, on the CPU.
    Own,
    /// candle's, on any device.
    Candle,
}

impl Kernels {
    /// The kernels for tensors on `device`.
    pub fn of(device: &Device) -> Self {
        if device.is_cpu() { Self::Own } else { Self::Candle }
    }

    /// The convolution.
    pub fn conv3x3(self, x: &Tensor, weights: &Tensor, stride: usize) -> Result<Tensor> {
        match self {
            Self::Own => convolution::conv3x3(x, weights, stride),
            Self::Candle => candle_kernels::conv3x3(x, weights, stride),
        }
    }

    /// Batch normalisation and the rectifier.
    pub fn norm_relu(
        self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        epsilon: f64,
        by: Normalise<'_>,
    ) -> Result<(Tensor, Option<BatchStatistics>)> {
        match self {
            Self::Own => batch_norm::norm_relu(x, gamma, beta, epsilon, by),
            Self::Candle => candle_kernels::norm_relu(x, gamma, beta, epsilon, by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::statistics::RunningStatistics;
    use super::super::testing::{assert_close, noise};
    use super::*;
    use candle_core::Var;

    /// Our batch norm against candle's operations: forward, backward and statistics, in both modes.
    #[test]
    fn batch_norm_is_the_same_by_both_kernels_on_odd_shapes() {
        for shape in [(2, 1, 1, 1), (1, 5, 1, 3), (1, 1, 2, 7), (9, 4, 4, 16), (3, 7, 5, 2)] {
            let channels = shape.3;
            let running = RunningStatistics {
                mean: (0..channels).map(|i| 0.1 * i as f32 - 0.2).collect(),
                variance: (0..channels).map(|i| 0.3 + i as f32).collect(),
                batches: 1,
            };
            for by in [Normalise::Batch, Normalise::Running(&running)] {
                let vars = [noise(shape, 1.0), noise(channels, 2.0), noise(channels, 3.0)];
                let vars = vars.map(|tensor| Var::from_tensor(&tensor).unwrap());
                let [x, gamma, beta] = &vars;
                let [ours, theirs] = [Kernels::Own, Kernels::Candle]
                    .map(|kernels| kernels.norm_relu(x, gamma, beta, 1e-3, by).unwrap());
                assert_close(&ours.0, &theirs.0, 1e-4);
                assert_eq!(ours.1.is_some(), theirs.1.is_some());
                if let (Some(ours), Some(theirs)) = (ours.1, theirs.1) {
                    assert_eq!(ours.count, theirs.count);
                    for (a, b) in [(ours.mean, theirs.mean), (ours.variance, theirs.variance)] {
                        assert_close(
                            &Tensor::new(a, &Device::Cpu).unwrap(),
                            &Tensor::new(b, &Device::Cpu).unwrap(),
                            1e-4,
                        );
                    }
                }
                let weight = noise(shape, 4.0);
                let back = |out: Tensor| (out * &weight).unwrap().sum_all().unwrap().backward().unwrap();
                let (ours, theirs) = (back(ours.0), back(theirs.0));
                for var in &vars {
                    assert_close(ours.get(var).unwrap(), theirs.get(var).unwrap(), 1e-4);
                }
            }
        }
    }

    #[test]
    fn both_kernels_refuse_the_same() {
        let one = noise((1, 1, 1, 3), 1.0);
        let channel = noise(3, 1.0);
        let running = RunningStatistics::new(2);
        for kernels in [Kernels::Own, Kernels::Candle] {
            let error = kernels.norm_relu(&one, &channel, &channel, 1e-3, Normalise::Batch).unwrap_err();
            assert!(error.to_string().contains("at least two values"), "{error}");
            assert!(kernels.norm_relu(&one, &channel, &channel, 1e-3, Normalise::Running(&running)).is_err());
            assert!(kernels.conv3x3(&one, &noise((3, 3, 2, 4), 1.0), 1).is_err());
            assert!(kernels.conv3x3(&one, &noise((3, 3, 3, 4), 1.0), 0).is_err());
        }
    }
}
