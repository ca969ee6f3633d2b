//! Stochastic gradient descent with momentum 0.9, as in PyTorch's `SGD`: `v ← 0.9·v + g`, `w ← w − rate·v`.

use candle_core::{Result, Tensor, Var, bail};

const MOMENTUM: f32 = 0.9;

/// The weights and their velocities.
pub struct Sgd {
    weights: Vec<(Var, Vec<f32>)>,
}

impl Sgd {
    /// An optimiser of these weights, all velocities 0.
    pub fn new(vars: Vec<Var>) -> Self {
        Self { weights: vars.into_iter().map(|var| (var.clone(), vec![0.0; var.elem_count()])).collect() }
    }

    /// The velocities of each weight.
    pub fn velocities(&self) -> Vec<Vec<f32>> {
        self.weights.iter().map(|(_, velocities)| velocities.clone()).collect()
    }

    /// Restores the result of [`Sgd::velocities`]. An error if it belongs to other weights.
    pub fn restore(&mut self, velocities: Vec<Vec<f32>>) -> Result<()> {
        let lengths = |all: &[Vec<f32>]| all.iter().map(Vec::len).collect::<Vec<_>>();
        if lengths(&self.velocities()) != lengths(&velocities) {
            bail!("expected the velocities of these weights, found those of others");
        }
        self.weights.iter_mut().zip(velocities).for_each(|((_, own), given)| *own = given);
        Ok(())
    }

    /// One step along `gradients`, one per weight, with learning rate `rate`.
    pub fn step(&mut self, gradients: &[Vec<f32>], rate: f64) -> Result<()> {
        for ((var, velocities), grad) in self.weights.iter_mut().zip(gradients) {
            let mut values = var.flatten_all()?.to_vec1::<f32>()?;
            if grad.len() != values.len() {
                bail!("expected a gradient of {} numbers, found {}", values.len(), grad.len());
            }
            for ((value, grad), velocity) in values.iter_mut().zip(grad).zip(velocities) {
                *velocity = MOMENTUM * *velocity + grad;
                *value -= rate as f32 * *velocity;
            }
            var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Minimises w² from 1 with rate 0.1: the gradient is 2w, so w₁ = 0.8, w₂ = 0.46, w₃ = 0.062.
    #[test]
    fn follows_the_formula() {
        let var = Var::from_tensor(&Tensor::new(&[1.0_f32], &Device::Cpu).unwrap()).unwrap();
        let mut sgd = Sgd::new(vec![var.clone()]);
        for want in [0.8_f32, 0.46, 0.062] {
            let gradient = 2.0 * var.to_vec1::<f32>().unwrap()[0];
            sgd.step(&[vec![gradient]], 0.1).unwrap();
            assert!((var.to_vec1::<f32>().unwrap()[0] - want).abs() < 1e-6);
        }
    }
}
