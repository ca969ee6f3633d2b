//! The loops of batch normalisation over rows of channels, each compiled for the processor's widest vectors
//! ([`wide`]). A channel's sum runs over the rows in order, so vectors of any width give the same bits.
//!
//! The loops zip and do not index, so that the compiler sees that no access is out of bounds and uses
//! vectors.

use super::layer::Activation;
use crate::numeric::wide;
use pulp::NullaryFnOnce;

/// `out = (x − mean)·scale + beta`, then the activation; NaN stays NaN.
pub fn normalise(
    out: &mut [f32],
    x: &[f32],
    mean: &[f32],
    scale: &[f32],
    beta: &[f32],
    activation: Activation,
) {
    wide(Normalise { out, x, mean, scale, beta, limits: activation.limits() });
}

struct Normalise<'a> {
    out: &'a mut [f32],
    x: &'a [f32],
    mean: &'a [f32],
    scale: &'a [f32],
    beta: &'a [f32],
    limits: (f32, f32),
}

impl NullaryFnOnce for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let c = self.mean.len();
        let (least, most) = self.limits;
        for (out, x) in self.out.chunks_exact_mut(c).zip(self.x.chunks_exact(c)) {
            let channels = self.mean.iter().zip(self.scale).zip(self.beta);
            for ((out, x), ((mean, scale), beta)) in out.iter_mut().zip(x).zip(channels) {
                // Not `max`, which would turn NaN into 0 and so hide it.
                let value = (x - mean) * scale + beta;
                let value = if value < least { least } else { value };
                *out = if value > most { most } else { value };
            }
        }
    }
}

/// `x = x + bias`, then the activation, for rows of `bias.len()` channels; NaN stays NaN.
pub fn add_bias(x: &mut [f32], bias: &[f32], activation: Activation) {
    wide(AddBias { x, bias, limits: activation.limits() });
}

struct AddBias<'a> {
    x: &'a mut [f32],
    bias: &'a [f32],
    limits: (f32, f32),
}

impl NullaryFnOnce for AddBias<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (least, most) = self.limits;
        for row in self.x.chunks_exact_mut(self.bias.len().max(1)) {
            for (x, bias) in row.iter_mut().zip(self.bias) {
                let value = *x + bias;
                let value = if value < least { least } else { value };
                *x = if value > most { most } else { value };
            }
        }
    }
}

/// Sums over the rows: of `x`, or of the squares of `x − mean`.
pub fn sums(x: &[f32], mean: Option<&[f32]>, channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f32; channels];
    match mean {
        None => wide(Sums { x, sums: &mut sums }),
        Some(mean) => wide(SquareSums { x, mean, sums: &mut sums }),
    }
    sums
}

struct Sums<'a> {
    x: &'a [f32],
    sums: &'a mut [f32],
}

impl NullaryFnOnce for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for row in self.x.chunks_exact(self.sums.len()) {
            self.sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
    }
}

struct SquareSums<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    sums: &'a mut [f32],
}

impl NullaryFnOnce for SquareSums<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for row in self.x.chunks_exact(self.sums.len()) {
            for ((sum, x), mean) in self.sums.iter_mut().zip(row).zip(self.mean) {
                *sum += (x - mean) * (x - mean);
            }
        }
    }
}

/// Sums over the rows of `g·(x − mean)` and `g`, where `g` is the gradient after the rectifier, or 0 where
/// the rectifier is 0.
pub fn gradient_sums(x: &[f32], out: &[f32], grad: &[f32], mean: &[f32]) -> [Vec<f32>; 2] {
    let (mut by_gamma, mut by_beta) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
    wide(GradientSums { x, out, grad, mean, by_gamma: &mut by_gamma, by_beta: &mut by_beta });
    [by_gamma, by_beta]
}

struct GradientSums<'a> {
    x: &'a [f32],
    out: &'a [f32],
    grad: &'a [f32],
    mean: &'a [f32],
    by_gamma: &'a mut [f32],
    by_beta: &'a mut [f32],
}

impl NullaryFnOnce for GradientSums<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let c = self.mean.len();
        let rows = self.x.chunks_exact(c).zip(self.out.chunks_exact(c)).zip(self.grad.chunks_exact(c));
        for ((x, out), grad) in rows {
            let sums = self.by_gamma.iter_mut().zip(self.by_beta.iter_mut());
            for (((by_gamma, by_beta), mean), ((x, out), grad)) in
                sums.zip(self.mean).zip(x.iter().zip(out).zip(grad))
            {
                let g = if *out > 0.0 { *grad } else { 0.0 };
                *by_beta += g;
                *by_gamma += g * (x - mean);
            }
        }
    }
}

/// The terms of a channel's input gradient, `g·scale + (x − mean)·slope + shift`.
pub struct InputTerms {
    /// Batch mean or running mean.
    pub mean: Vec<f32>,
    /// γ divided by the standard deviation.
    pub scale: Vec<f32>,
    /// Gradient through the variance.
    pub slope: Vec<f32>,
    /// Gradient through the mean.
    pub shift: Vec<f32>,
}

/// The gradient of the input.
pub fn input_gradient(to: &mut [f32], x: &[f32], out: &[f32], grad: &[f32], terms: &InputTerms) {
    wide(InputGradient { to, x, out, grad, terms });
}

struct InputGradient<'a> {
    to: &'a mut [f32],
    x: &'a [f32],
    out: &'a [f32],
    grad: &'a [f32],
    terms: &'a InputTerms,
}

impl NullaryFnOnce for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let InputTerms { mean, scale, slope, shift } = self.terms;
        let c = mean.len();
        let rows = self.x.chunks_exact(c).zip(self.out.chunks_exact(c)).zip(self.grad.chunks_exact(c));
        for (to, ((x, out), grad)) in self.to.chunks_exact_mut(c).zip(rows) {
            let row = to.iter_mut().zip(x).zip(out.iter().zip(grad));
            let channels = mean.iter().zip(scale).zip(slope.iter().zip(shift));
            for (((to, x), (out, grad)), ((mean, scale), (slope, shift))) in row.zip(channels) {
                let g = if *out > 0.0 { *grad } else { 0.0 };
                *to = g * scale + ((x - mean) * slope + shift);
            }
        }
    }
}
