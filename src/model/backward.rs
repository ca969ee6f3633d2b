//! The backward pass: loss and gradients of one batch.
//!
//! The convolutions and their batch norm hold nearly all numbers, so their backward pass is written out here
//! on plain slices. candle's own starts each gradient with zeros and adds to it, which for such large tensors
//! costs as much as the arithmetic. The layers after them are small and left to candle.

use super::batch_norm::NormRelu;
use super::geometry::Geometry;
use super::kernels::Kernels;
use super::network::{Forward, Mode, Network};
use super::slices::with_f32;
use super::statistics::{BatchStatistics, Normalise, RunningStatistics};
use candle_core::{Device, Result, Tensor, Var, bail};

/// The result of a forward and a backward pass.
pub struct Backward {
    /// Mean loss of the batch.
    pub loss: f64,
    /// Gradients of [`Network::vars`], in their order.
    pub gradients: Vec<Vec<f32>>,
    /// With batch normalisation: the statistics of this batch, one entry per layer.
    pub statistics: Vec<BatchStatistics>,
}

/// One layer after the forward pass: what its backward pass needs.
struct Passed {
    geometry: Geometry,
    /// Output of the convolution.
    linear: Vec<f32>,
    norm: NormRelu,
    weights: Vec<f32>,
    scale: Vec<f32>,
    /// Input of the convolution.
    input: Vec<f32>,
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

impl Network {
    /// Forward and backward pass of `x`, `[n][side][side][channels]`, in train mode, where `classes[i]` is
    /// the label of row `i`. Changes neither weights nor running statistics.
    pub fn backward(&self, x: &Tensor, classes: &[usize]) -> Result<Backward> {
        if !self.is_plain() {
            bail!("expected a network of 3×3 convolutions to train, found one of other layers");
        }
        match Kernels::of(x.device()) {
            Kernels::Own => self.backward_on_cpu(x, classes),
            Kernels::Candle => self.backward_by_candle(x, classes),
        }
    }

    /// The same by candle's operations, on the device of `x`.
    fn backward_by_candle(&self, x: &Tensor, classes: &[usize]) -> Result<Backward> {
        let network = self.on(x.device())?;
        let forward = network.forward_by(Kernels::Candle, x, Mode::Train, true)?;
        let loss = network.loss(&network.scores(&forward, true)?, classes)?;
        let grads = loss.backward()?;
        let gradient = |var: &Var| match grads.get(var) {
            Some(grad) => numbers(grad),
            None => Ok(vec![0.0; var.elem_count()]),
        };
        let gradients = network.vars().iter().map(gradient).collect::<Result<_>>()?;
        let statistics = forward.statistics;
        Ok(Backward { loss: f64::from(loss.to_scalar::<f32>()?), gradients, statistics })
    }

    fn backward_on_cpu(&self, x: &Tensor, classes: &[usize]) -> Result<Backward> {
        let mut passed: Vec<Passed> = Vec::with_capacity(self.blocks.len());
        let mut activations = numbers(x)?;
        let mut shape = x.dims4()?;
        for (i, block) in self.blocks.iter().enumerate() {
            let weights = block.weights.as_detached_tensor();
            let geometry = Geometry::new(&shape.into(), weights.shape(), block.layer.stride)?;
            let (weights, shift) = (numbers(&weights)?, numbers(&block.shift.as_detached_tensor())?);
            let linear = geometry.forward(&activations, &weights);
            let (scale, norm) = match (&block.scale, self.running.get(i)) {
                (Some(scale), Some(_)) => {
                    (numbers(&scale.as_detached_tensor())?, NormRelu::new(self.epsilon(), Normalise::Batch))
                }
                // Without batch normalisation: x + bias, which is normalising by mean 0 and variance 1.
                _ => {
                    let identity = RunningStatistics::new(shift.len());
                    (vec![1.0; shift.len()], NormRelu::new(0.0, Normalise::Running(&identity)))
                }
            };
            let out = norm.forward(&linear, &scale, &shift)?;
            shape = (shape.0, geometry.out_height(), geometry.out_width(), geometry.filters);
            let input = std::mem::replace(&mut activations, out);
            passed.push(Passed { geometry, linear, norm, weights, scale, input });
        }
        let statistics = passed.iter().filter_map(|layer| layer.norm.batch()).collect();

        let top = Var::from_tensor(&Tensor::from_vec(activations, shape, &Device::Cpu)?)?;
        let (embeddings, features) = self.tail(&top, x, true)?;
        let forward = Forward { embeddings, features, statistics: Vec::new() };
        let loss = self.loss(&self.scores(&forward, true)?, classes)?;
        let grads = loss.backward()?;

        // From the last layer to the first; a layer's output is the next one's input.
        let Some(mut back) = grads.get(&top).map(numbers).transpose()? else {
            bail!("expected a loss that depends on the convolutions, found one that does not");
        };
        let mut output = numbers(&top.as_detached_tensor())?;
        let mut by_layer: Vec<Vec<Vec<f32>>> = Vec::with_capacity(passed.len());
        for (i, layer) in passed.into_iter().enumerate().rev() {
            let Passed { geometry, linear, norm, weights, scale, input } = layer;
            let [by_linear, by_scale, by_shift] = norm.backward(&linear, &scale, &output, &back)?;
            let (by_input, by_weights) = geometry.backward(&input, &weights, &by_linear, i > 0);
            let normalised = self.blocks.get(i).is_some_and(|block| block.scale.is_some());
            by_layer.push(if normalised {
                vec![by_weights, by_scale, by_shift]
            } else {
                vec![by_weights, by_shift]
            });
            (back, output) = (by_input, input);
        }
        let mut gradients: Vec<Vec<f32>> = by_layer.into_iter().rev().flatten().collect();
        for var in self.vars().iter().skip(gradients.len()) {
            gradients.push(match grads.get(var) {
                Some(grad) => with_f32(&grad.contiguous()?, |grad| Ok(grad.to_vec()))?,
                None => vec![0.0; var.elem_count()],
            });
        }
        Ok(Backward { loss: f64::from(loss.to_scalar::<f32>()?), gradients, statistics })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Head, Init, ModelConfig, Norm};
    use crate::picture::PictureSpec;
    use rand::{Rng as _, SeedableRng as _};

    fn same(what: &str, ours: &[f32], theirs: &[f32]) {
        assert_eq!(theirs.len(), ours.len());
        let size = theirs.iter().fold(1e-6_f32, |size, v| size.max(v.abs()));
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() <= 2e-5 * size, "{what}: {a} {b}");
        }
    }

    /// Loss, statistics and every gradient against candle's automatic differentiation.
    #[test]
    fn equals_candles_gradients() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(8);
        for (head, norm, spec) in [
            (Head::Cosine, Norm::Batch, PictureSpec::BYTES),
            (Head::Cosine, Norm::None, PictureSpec::image(16)),
            (Head::Classifier, Norm::Batch, PictureSpec::image(16)),
            (Head::Classifier, Norm::None, PictureSpec::image(8)),
        ] {
            let mut config = ModelConfig::new(spec, vec!["a".into(), "b".into(), "c".into()]);
            (config.head, config.norm) = (head, norm);
            config.convolutions = vec![(5, 1), (7, 2), (6, 1)];
            let network = Network::new(&config, Init::He, &mut rng).unwrap();
            let x: Vec<f32> = (0..6 * spec.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
            let x =
                Tensor::from_vec(x, (6, spec.side, spec.side, spec.kind.channels()), &Device::Cpu).unwrap();
            let classes = [0, 1, 2, 2, 1, 0];
            let ours = network.backward(&x, &classes).unwrap();
            let forward = network.forward(&x, Mode::Train, true).unwrap();
            let loss = network.loss(&network.scores(&forward, true).unwrap(), &classes).unwrap();
            assert!((ours.loss - f64::from(loss.to_scalar::<f32>().unwrap())).abs() < 1e-6);
            assert_eq!(ours.statistics, forward.statistics);
            let grads = loss.backward().unwrap();
            let vars = network.vars();
            assert_eq!(vars.len(), ours.gradients.len());
            for (var, gradient) in vars.iter().zip(&ours.gradients) {
                let theirs = numbers(grads.get(var).unwrap()).unwrap();
                same(&format!("{head:?} {norm:?}"), gradient, &theirs);
            }
            // What a GPU would compute.
            let by_candle = network.backward_by_candle(&x, &classes).unwrap();
            assert!((ours.loss - by_candle.loss).abs() < 1e-5);
            assert_eq!(by_candle.gradients.len(), ours.gradients.len());
            for (theirs, ours) in by_candle.gradients.iter().zip(&ours.gradients) {
                same(&format!("{head:?} {norm:?}, by candle"), ours, theirs);
            }
            assert_eq!(by_candle.statistics.len(), ours.statistics.len());
            for (theirs, ours) in by_candle.statistics.iter().zip(&ours.statistics) {
                same("mean", &ours.mean, &theirs.mean);
                same("variance", &ours.variance, &theirs.variance);
                assert_eq!(ours.count, theirs.count);
            }
        }
    }
}
