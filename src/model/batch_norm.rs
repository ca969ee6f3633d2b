//! Batch normalisation (Ioffe and Szegedy, 2015) and the rectifier behind it, in one operation.
//!
//! Each call says which statistics normalise: those of the batch (train mode) or the running ones (eval
//! mode). A forward pass never changes running statistics: it returns the batch's, and the trainer decides
//! whether to add them. So measuring a model in train mode cannot change it.

use super::layer::Activation;
use super::norm_loops;
use super::slices::{contiguous, with_f32};
use super::statistics::{BatchStatistics, Normalise, too_few};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};

/// Numbers summed in one go. Fixed, so that sums do not depend on the number of threads.
const BLOCK: usize = 1 << 15;

/// `max(0, γ · (x − mean) / √(variance + ε) + β)` over the last dimension of `x`, `[…][c]`, and in train mode
/// the statistics of the batch. In train mode a batch of one value per channel is an error: it has no
/// variance.
pub fn norm_relu(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
    by: Normalise<'_>,
) -> Result<(Tensor, Option<BatchStatistics>)> {
    let op = NormRelu::new(epsilon, by);
    let (by_batch, statistics) = (op.by_batch, Arc::clone(&op.statistics));
    let out = x.contiguous()?.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op)?;
    let batch = if by_batch { statistics.get().cloned() } else { None };
    Ok((out, batch))
}

/// The operation, for one forward pass and its backward pass.
pub(super) struct NormRelu {
    epsilon: f64,
    by_batch: bool,
    /// The backward pass is that of the rectifier alone.
    activation: Activation,
    /// In train mode set by the forward pass, in eval mode from the start.
    statistics: Arc<OnceLock<BatchStatistics>>,
}

impl NormRelu {
    pub fn new(epsilon: f64, by: Normalise<'_>) -> Self {
        let statistics = Arc::new(OnceLock::new());
        if let Normalise::Running(running) = by {
            let (mean, variance) = (running.mean.clone(), running.variance.clone());
            let _ = statistics.set(BatchStatistics { mean, variance, count: 0 });
        }
        Self { epsilon, by_batch: matches!(by, Normalise::Batch), activation: Activation::Relu, statistics }
    }

    /// The same with another activation, for the forward pass only.
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The statistics of the batch: in train mode, after the forward pass.
    pub fn batch(&self) -> Option<BatchStatistics> {
        if self.by_batch { self.statistics.get().cloned() } else { None }
    }

    /// `x` normalised and rectified, row by row of `gamma.len()` channels.
    pub fn forward(&self, x: &[f32], gamma: &[f32], beta: &[f32]) -> Result<Vec<f32>> {
        let c = gamma.len();
        if self.by_batch {
            let _ = self.statistics.set(measure(x, c)?);
        }
        let (statistics, inverse) = self.statistics(c)?;
        let scale: Vec<f32> = gamma.iter().zip(&inverse).map(|(g, i)| g * i).collect();
        let mut out = vec![0.0; x.len()];
        out.par_chunks_mut(block_of(c)).zip(x.par_chunks(block_of(c))).for_each(|(out, x)| {
            norm_loops::normalise(out, x, &statistics.mean, &scale, beta, self.activation);
        });
        Ok(out)
    }

    /// The statistics that normalise, and `1/√(variance + ε)` of each channel.
    fn statistics(&self, channels: usize) -> Result<(&BatchStatistics, Vec<f32>)> {
        match self.statistics.get() {
            Some(found) if found.mean.len() == channels && found.variance.len() == channels => {
                let inverse = |v: &f32| (1.0 / (f64::from(*v) + self.epsilon).sqrt()) as f32;
                Ok((found, found.variance.iter().map(inverse).collect()))
            }
            Some(found) => {
                bail!("batch norm: expected statistics of {channels} channels, found {}", found.mean.len())
            }
            None => bail!("batch norm: expected a forward pass before the backward pass, found none"),
        }
    }

    /// Gradients of `x`, γ and β.
    pub fn backward(&self, x: &[f32], gamma: &[f32], out: &[f32], grad: &[f32]) -> Result<[Vec<f32>; 3]> {
        let c = gamma.len();
        let (statistics, inverse) = self.statistics(c)?;
        let block = block_of(c);
        let parts: Vec<_> = x
            .par_chunks(block)
            .zip(out.par_chunks(block))
            .zip(grad.par_chunks(block))
            .map(|((x, out), grad)| norm_loops::gradient_sums(x, out, grad, &statistics.mean))
            .collect();
        let (mut by_gamma, mut by_beta) = (vec![0.0_f64; c], vec![0.0_f64; c]);
        for [gamma, beta] in parts {
            add(&mut by_gamma, &gamma);
            add(&mut by_beta, &beta);
        }
        by_gamma.iter_mut().zip(&inverse).for_each(|(sum, inverse)| *sum *= f64::from(*inverse));
        // In train mode mean and variance depend on x too: two more terms.
        let n = if self.by_batch { (x.len() / c).max(1) as f64 } else { f64::INFINITY };
        let scale: Vec<f32> = gamma.iter().zip(&inverse).map(|(gamma, inverse)| gamma * inverse).collect();
        let back = |sums: &[f64]| -> Vec<f32> {
            scale.iter().zip(sums).map(|(scale, sum)| (-f64::from(*scale) * sum / n) as f32).collect()
        };
        let slope = back(&by_gamma).iter().zip(&inverse).map(|(slope, inverse)| slope * inverse).collect();
        let shift = back(&by_beta);
        let terms = norm_loops::InputTerms { mean: statistics.mean.clone(), scale, slope, shift };
        let mut by_x = vec![0.0; x.len()];
        by_x.par_chunks_mut(block)
            .zip(x.par_chunks(block))
            .zip(out.par_chunks(block).zip(grad.par_chunks(block)))
            .for_each(|((to, x), (out, grad))| norm_loops::input_gradient(to, x, out, grad, &terms));
        let narrow = |sums: Vec<f64>| sums.into_iter().map(|v| v as f32).collect();
        Ok([by_x, narrow(by_gamma), narrow(by_beta)])
    }
}

impl CustomOp3 for NormRelu {
    fn name(&self) -> &'static str {
        "batch-norm-relu"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        gamma: &CpuStorage,
        gl: &Layout,
        beta: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, gamma, beta) = (contiguous(x, xl)?, contiguous(gamma, gl)?, contiguous(beta, bl)?);
        let c = gamma.len();
        if c == 0 || beta.len() != c || xl.dims().last() != Some(&c) {
            bail!(
                "batch norm: expected one scale and one shift for each channel of {:?}, found {c} and {}",
                xl.dims(),
                beta.len()
            );
        }
        let out = self.forward(x, gamma, beta)?;
        Ok((CpuStorage::F32(out), xl.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let [by_x, by_gamma, by_beta] = with_f32(x, |x| {
            with_f32(gamma, |gamma| {
                with_f32(out, |out| with_f32(&grad, |grad| self.backward(x, gamma, out, grad)))
            })
        })?;
        Ok((
            Some(Tensor::from_vec(by_x, x.shape(), x.device())?),
            Some(Tensor::from_vec(by_gamma, gamma.shape(), x.device())?),
            Some(Tensor::from_vec(by_beta, beta.shape(), x.device())?),
        ))
    }
}

/// About [`BLOCK`] numbers, rounded down to whole rows.
fn block_of(channels: usize) -> usize {
    (BLOCK / channels).max(1) * channels
}

fn add(sums: &mut [f64], part: &[f32]) {
    for (sum, part) in sums.iter_mut().zip(part) {
        *sum += f64::from(*part);
    }
}

/// Mean and biased variance of each of `c` interleaved channels, in two passes: subtracting the mean first
/// keeps the variance exact where the mean is large.
fn measure(x: &[f32], c: usize) -> Result<BatchStatistics> {
    let count = x.len() / c;
    if count < 2 {
        return Err(too_few(count));
    }
    let mean = averages(x, None, c);
    let variance = averages(x, Some(&mean), c);
    Ok(BatchStatistics { mean, variance, count })
}

/// The average of each channel over all rows: of `x`, or of the squares of `x − mean`.
fn averages(x: &[f32], mean: Option<&[f32]>, c: usize) -> Vec<f32> {
    let parts: Vec<Vec<f32>> =
        x.par_chunks(block_of(c)).map(|block| norm_loops::sums(block, mean, c)).collect();
    let mut total = vec![0.0_f64; c];
    parts.iter().for_each(|part| add(&mut total, part));
    let count = (x.len() / c.max(1)).max(1) as f64;
    total.into_iter().map(|sum| (sum / count) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::super::config::RunningVariance;
    use super::super::statistics::RunningStatistics;
    use super::*;
    use crate::model::testing::assert_finite_differences;
    use candle_core::{Device, Var};

    fn values(n: usize, seed: f64) -> Vec<f32> {
        (0..n).map(|i| ((i as f64 * 12.9898 + seed).sin() * 3.0 + seed) as f32).collect()
    }

    fn setting(rows: usize, c: usize) -> [Var; 3] {
        let var = |v: Vec<f32>, shape: &[usize]| {
            Var::from_tensor(&Tensor::from_vec(v, shape, &Device::Cpu).unwrap()).unwrap()
        };
        let gamma = (0..c).map(|i| 0.5 + i as f32).collect();
        let beta = (0..c).map(|i| 0.3 - 0.2 * i as f32).collect();
        [var(values(rows * c, 1.5), &[rows, c]), var(gamma, &[c]), var(beta, &[c])]
    }

    #[test]
    fn statistics_of_known_numbers() {
        let found = measure(&[1.0, 1000.0, 3.0, 1002.0, 5.0, 1004.0], 2).unwrap();
        assert_eq!(found.mean, [3.0, 1002.0]);
        for v in &found.variance {
            assert!((v - 8.0 / 3.0).abs() < 1e-5);
        }
        let unbiased: Vec<f32> = found.variance_as(RunningVariance::Unbiased).collect();
        assert_eq!(unbiased, [4.0, 4.0]);
        let biased: Vec<f32> = found.variance_as(RunningVariance::Biased).collect();
        assert_eq!(biased, found.variance);
    }

    #[test]
    fn one_value_per_channel_is_an_error_in_train_mode_only() {
        let [x, gamma, beta] = setting(1, 3);
        let error = norm_relu(&x, &gamma, &beta, 1e-5, Normalise::Batch).unwrap_err();
        assert!(error.to_string().contains("at least two values"), "{error}");
        let running = RunningStatistics::new(3);
        assert!(norm_relu(&x, &gamma, &beta, 1e-5, Normalise::Running(&running)).is_ok());
    }

    /// The gradients against finite differences of the forward pass, at a tolerance that the rounding of
    /// `f32` allows.
    #[test]
    fn gradients_equal_finite_differences_in_both_modes() {
        let (rows, c) = (7, 3);
        let running =
            RunningStatistics { mean: vec![0.4, -0.2, 1.0], variance: vec![2.0, 0.5, 3.0], batches: 1 };
        let weight = Tensor::from_vec(values(rows * c, 0.7), (rows, c), &Device::Cpu).unwrap();
        for by in [Normalise::Batch, Normalise::Running(&running)] {
            let [x, gamma, beta] = setting(rows, c);
            assert_finite_differences(&[&x, &gamma, &beta], 1e-2, 0.02, || {
                let (out, _) = norm_relu(&x, &gamma, &beta, 1e-5, by).unwrap();
                (out * &weight).unwrap().sum_all().unwrap()
            });
        }
    }

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        rows: usize,
        channels: usize,
        momentum: Option<f64>,
        epsilon: f64,
        gamma: Vec<f32>,
        beta: Vec<f32>,
        grad: Vec<f32>,
        batches: Vec<Recorded>,
        eval: Recorded,
    }

    #[derive(serde::Deserialize)]
    struct Recorded {
        #[serde(default)]
        x: Vec<f32>,
        y: Vec<f32>,
        dx: Vec<f32>,
        dgamma: Vec<f32>,
        dbeta: Vec<f32>,
        #[serde(default)]
        running_mean: Vec<f32>,
        #[serde(default)]
        running_var: Vec<f32>,
    }

    /// Forward, backward and running statistics against PyTorch's own figures
    /// (tests/data/batch_norm_pytorch.py), to 1e-5 of their size.
    #[test]
    fn equals_pytorch_on_recorded_cases() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/data/batch_norm_pytorch.json")).unwrap();
        assert_eq!(cases.len(), 7);
        for case in cases {
            let (rows, c) = (case.rows, case.channels);
            let var = |v: &[f32], shape: &[usize]| {
                Var::from_tensor(&Tensor::from_slice(v, shape, &Device::Cpu).unwrap()).unwrap()
            };
            let same = |what: &str, ours: &[f32], theirs: &[f32]| {
                assert_eq!(ours.len(), theirs.len());
                let size = theirs.iter().fold(1.0_f32, |size, v| size.max(v.abs()));
                for (a, b) in ours.iter().zip(theirs) {
                    assert!((a - b).abs() <= 1e-5 * size, "{}, {what}: {a} {b}", case.name);
                }
            };
            let run = |x: &[f32], by: Normalise<'_>, recorded: &Recorded| {
                let vars = [var(x, &[rows, c]), var(&case.gamma, &[c]), var(&case.beta, &[c])];
                let (y, batch) = norm_relu(&vars[0], &vars[1], &vars[2], case.epsilon, by).unwrap();
                let grad = var(&case.grad, &[rows, c]);
                let grads = (&y * grad.as_detached_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
                let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                same("y", &flat(&y), &recorded.y);
                let theirs = [&recorded.dx, &recorded.dgamma, &recorded.dbeta];
                for ((what, var), theirs) in ["dx", "dgamma", "dbeta"].iter().zip(&vars).zip(theirs) {
                    same(what, &flat(grads.get(var).unwrap()), theirs);
                }
                batch
            };
            let mut running = RunningStatistics::new(c);
            for recorded in &case.batches {
                let batch = run(&recorded.x, Normalise::Batch, recorded).unwrap();
                running.update(&batch, case.momentum, RunningVariance::Unbiased);
                same("running mean", &running.mean, &recorded.running_mean);
                same("running variance", &running.variance, &recorded.running_var);
            }
            let last = case.batches.last().unwrap();
            assert!(run(&last.x, Normalise::Running(&running), &case.eval).is_none());
        }
    }
}
