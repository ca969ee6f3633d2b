//! AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) with PyTorch's
//! defaults: betas 0.9 and 0.999, epsilon 1e-8, weight decay 0.01. One pass over each weight, where an
//! optimiser of tensor operations takes a dozen.

use candle_core::{Result, Tensor, Var, bail};

const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;
/// PyTorch's default weight decay.
pub(super) const DECAY: f64 = 0.01;

/// The weights and their running moments.
pub struct AdamW {
    weights: Vec<Weight>,
    steps: i32,
    decay: f64,
}

struct Weight {
    var: Var,
    /// Running mean of the gradient and of its square.
    moments: Vec<[f32; 2]>,
}

impl AdamW {
    /// An optimiser of these weights, all moments 0. With `decay` 0 it is Adam.
    pub fn new(vars: Vec<Var>, decay: f64) -> Self {
        let weight = |var: Var| Weight { moments: vec![[0.0; 2]; var.elem_count()], var };
        Self { weights: vars.into_iter().map(weight).collect(), steps: 0, decay }
    }

    /// Steps so far, and the moments of each weight.
    pub(super) fn moments(&self) -> (i32, Vec<Vec<[f32; 2]>>) {
        (self.steps, self.weights.iter().map(|weight| weight.moments.clone()).collect())
    }

    /// Restores the result of [`AdamW::moments`]. An error if it belongs to other weights.
    pub(super) fn restore(&mut self, steps: i32, moments: Vec<Vec<[f32; 2]>>) -> Result<()> {
        let lengths = |all: &[Vec<[f32; 2]>]| all.iter().map(Vec::len).collect::<Vec<_>>();
        if lengths(&self.moments().1) != lengths(&moments) {
            bail!("expected the moments of these weights, found those of others");
        }
        self.steps = steps;
        self.weights.iter_mut().zip(moments).for_each(|(weight, moments)| weight.moments = moments);
        Ok(())
    }

    /// One step along `gradients`, one per weight, with learning rate `rate`.
    pub fn step(&mut self, gradients: &[Vec<f32>], rate: f64) -> Result<()> {
        self.steps += 1;
        let [first, second] = BETAS.map(|beta| 1.0 - beta.powi(self.steps));
        let [b1, b2] = BETAS.map(|beta| beta as f32);
        let (keep, pace) = ((1.0 - rate * self.decay) as f32, (rate / first) as f32);
        let (root, epsilon) = ((1.0 / second.sqrt()) as f32, EPSILON as f32);
        for (weight, grad) in self.weights.iter_mut().zip(gradients) {
            let mut values = weight.var.flatten_all()?.to_vec1::<f32>()?;
            if grad.len() != values.len() {
                bail!("expected a gradient of {} numbers, found {}", values.len(), grad.len());
            }
            for ((value, grad), [mean, square]) in values.iter_mut().zip(grad).zip(&mut weight.moments) {
                *mean = b1 * *mean + (1.0 - b1) * grad;
                *square = b2 * *square + (1.0 - b2) * grad * grad;
                *value = *value * keep - pace * *mean / (square.sqrt() * root + epsilon);
            }
            weight.var.set(&Tensor::from_vec(values, weight.var.shape(), weight.var.device())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use candle_nn::{Optimizer as _, ParamsAdamW};

    #[test]
    fn equals_candles_adamw_over_twenty_steps() {
        let start = Tensor::new(&[[0.5_f32, -1.0, 2.0], [0.0, 3.0, -0.2]], &Device::Cpu).unwrap();
        let target = Tensor::new(&[[1.0_f32, 0.0, -1.0], [0.5, 0.5, 0.5]], &Device::Cpu).unwrap();
        let loss = |var: &Var| (var.as_tensor() - &target).unwrap().sqr().unwrap().sum_all().unwrap();
        let (ours, theirs) = (Var::from_tensor(&start).unwrap(), Var::from_tensor(&start).unwrap());
        let mut our_step = AdamW::new(vec![ours.clone()], DECAY);
        let params = ParamsAdamW { lr: 0.05, ..Default::default() };
        let mut their_step = candle_nn::AdamW::new(vec![theirs.clone()], params).unwrap();
        for _ in 0..20 {
            let grads = loss(&ours).backward().unwrap();
            let gradient = grads.get(&ours).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            our_step.step(&[gradient], 0.05).unwrap();
            their_step.backward_step(&loss(&theirs)).unwrap();
        }
        let values = |var: &Var| var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (a, b) in values(&ours).iter().zip(values(&theirs)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
