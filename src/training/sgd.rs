//! Stochastic gradient descent with momentum 0.9, as PyTorch's `SGD`: `v ← 0.9·v + g`, `w ← w − rate·v`.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

const MOMENTUM: f64 = 0.9;

/// The weights and their velocities.
pub struct Sgd {
    weights: Vec<(Var, Option<Tensor>)>,
}

impl Sgd {
    /// For these weights, at rest.
    pub fn new(vars: Vec<Var>) -> Self {
        Self { weights: vars.into_iter().map(|var| (var, None)).collect() }
    }

    /// One step along `grads` with learning rate `rate`. A weight without a gradient stays.
    pub fn step(&mut self, grads: &GradStore, rate: f64) -> Result<()> {
        for (var, velocity) in &mut self.weights {
            let Some(grad) = grads.get(var) else { continue };
            // Without its history, or the graph of every step before would be kept alive.
            let grad = grad.detach();
            let next = match velocity.take() {
                None => grad,
                Some(velocity) => ((velocity * MOMENTUM)? + grad)?,
            };
            var.set(&(var.as_detached_tensor() - (&next * rate)?)?)?;
            *velocity = Some(next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Of w² from 1 with rate 0.1: gradients 2w; w₁ = 0.8, w₂ = 0.46, w₃ = 0.062 by the formula.
    #[test]
    fn follows_the_formula() {
        let var = Var::from_tensor(&Tensor::new(&[1.0_f32], &Device::Cpu).unwrap()).unwrap();
        let mut sgd = Sgd::new(vec![var.clone()]);
        for want in [0.8_f32, 0.46, 0.062] {
            sgd.step(&var.sqr().unwrap().sum_all().unwrap().backward().unwrap(), 0.1).unwrap();
            assert!((var.to_vec1::<f32>().unwrap()[0] - want).abs() < 1e-6);
        }
    }
}
