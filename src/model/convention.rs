//! Conventions of batch normalisation: what frameworks do differently under the same name.
//!
//! All normalise by the biased variance of the batch. They differ in the weight of a new batch, in how that
//! weight is written, in epsilon, and in which variance enters the running variance. A model moved from one
//! framework to another with the wrong convention is wrong in eval mode only.

use super::config::{BatchNormPolicy, RunningVariance};

/// The batch-norm layer of one framework.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convention {
    /// The framework.
    pub name: &'static str,
    /// Its default momentum as its documentation writes it.
    pub written: f64,
    /// The same as the weight of a new batch, as in PyTorch: `running ← (1 − m) · running + m · batch`.
    pub momentum: f64,
    /// Added to the variance.
    pub epsilon: f64,
    /// Which variance enters the running variance.
    pub running_variance: RunningVariance,
    /// Other differences.
    pub note: &'static str,
}

/// `torch.nn.BatchNorm2d` (torch/nn/modules/batchnorm.py).
pub const PYTORCH: Convention = Convention {
    name: "PyTorch",
    written: 0.1,
    momentum: 0.1,
    epsilon: 1e-5,
    running_variance: RunningVariance::Unbiased,
    note: "A batch of one value per channel is an error. momentum=None gives the plain average.",
};
/// `keras.layers.BatchNormalization`, Keras 3.
pub const KERAS: Convention = Convention {
    name: "Keras",
    written: 0.99,
    momentum: 0.01,
    epsilon: 1e-3,
    running_variance: RunningVariance::Biased,
    note: "Writes momentum as the weight of the old value: 0.99 there is 0.01 here. Epsilon is 100 times PyTorch's.",
};
/// `flax.linen.BatchNorm` (JAX).
pub const FLAX: Convention = Convention {
    name: "Flax (JAX)",
    written: 0.99,
    momentum: 0.01,
    epsilon: 1e-5,
    running_variance: RunningVariance::Biased,
    note: "Writes momentum as the weight of the old value. New statistics are lost unless `mutable=['batch_stats']`.",
};
/// `candle_nn::BatchNorm`, version 0.11.1 (candle-nn/src/batch_norm.rs). Its numbers are PyTorch's. A batch
/// of one value per channel is no error: the unbiased variance divides by zero, and the running variance is
/// NaN from then on. Batches are not counted, so there is no plain average. The running statistics are `Var`s
/// that clones share, so every forward pass in train mode (`forward_t(x, true)`) changes the model.
/// Normalising takes many tensor operations, not one.
pub const CANDLE: Convention = Convention {
    name: "candle",
    written: 0.1,
    momentum: 0.1,
    epsilon: 1e-5,
    running_variance: RunningVariance::Unbiased,
    note: "Like PyTorch, but a batch of one value per channel makes the running variance NaN, batches are not counted, and every forward pass in train mode changes the running statistics.",
};

/// All conventions, in the order in which they are offered.
pub const CONVENTIONS: [Convention; 4] = [PYTORCH, KERAS, FLAX, CANDLE];

impl Convention {
    /// `policy` with the values of this convention.
    pub fn apply(&self, policy: BatchNormPolicy) -> BatchNormPolicy {
        BatchNormPolicy {
            momentum: self.momentum,
            epsilon: self.epsilon,
            running_variance: self.running_variance,
            ..policy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch_norm::norm_relu;
    use super::super::statistics::{Normalise, RunningStatistics};
    use super::*;
    use candle_core::{Device, Tensor};
    use candle_nn::{BatchNormConfig, ModuleT as _, VarBuilder, VarMap};

    #[test]
    fn momentum_is_written_as_one_weight_or_the_other() {
        for convention in CONVENTIONS {
            let (written, weight) = (convention.written, convention.momentum);
            assert!((written - weight).abs() < 1e-12 || (1.0 - written - weight).abs() < 1e-12);
        }
    }

    /// candle's own layer behaves as documented above, and ours agrees where it should.
    #[test]
    fn candles_own_layer_behaves_as_documented() {
        let layer = |map: &VarMap, channels| {
            let builder = VarBuilder::from_varmap(map, candle_core::DType::F32, &Device::Cpu);
            candle_nn::batch_norm(channels, BatchNormConfig::default(), builder).unwrap()
        };
        let running =
            |map: &VarMap, name: &str| -> Vec<f32> { map.data().lock().unwrap()[name].to_vec1().unwrap() };
        let map = VarMap::new();
        let x = Tensor::new(&[[1.0_f32, -4.0], [3.0, 5.0], [8.0, 0.0]], &Device::Cpu).unwrap();
        let theirs = layer(&map, 2).forward_t(&x, true).unwrap().relu().unwrap();
        let ones = Tensor::ones(2, candle_core::DType::F32, &Device::Cpu).unwrap();
        let (ours, batch) =
            norm_relu(&x, &ones, &ones.zeros_like().unwrap(), CANDLE.epsilon, Normalise::Batch).unwrap();
        let difference = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() < 1e-5);
        let mut running_statistics = RunningStatistics::new(2);
        running_statistics.update(&batch.unwrap(), Some(CANDLE.momentum), CANDLE.running_variance);
        for (name, ours) in
            [("running_mean", &running_statistics.mean), ("running_var", &running_statistics.variance)]
        {
            for (a, b) in ours.iter().zip(running(&map, name)) {
                assert!((a - b).abs() < 1e-5, "{name}: {a} {b}");
            }
        }

        let map = VarMap::new();
        layer(&map, 1).forward_t(&Tensor::new(&[[2.0_f32]], &Device::Cpu).unwrap(), true).unwrap();
        assert!(running(&map, "running_var")[0].is_nan());
    }
}
