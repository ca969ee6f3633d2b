//! The lesson: what one batch teaches, loss and gradients.
//!
//! The convolutions and their batch norm hold nearly all numbers, so their backward pass is written
//! out here on plain slices. candle's own would begin each gradient with zeros and add to it, which for
//! such large tensors costs as much as the arithmetic. What follows them is small, and is left to candle.

use super::batch_norm::{BatchStatistics, KeptStatistics, NormRelu, Normalise};
use super::by_candle::{self, Kernels};
use super::convolution::{Geometry, with_f32};
use super::network::{Forward, Network};
use candle_core::{Device, Result, Tensor, Var, bail};

/// What one batch teaches.
pub struct Lesson {
    /// Mean loss of the batch.
    pub loss: f64,
    /// Gradients of [`Network::vars`], in their order.
    pub gradients: Vec<Vec<f32>>,
    /// A layer's statistics of this batch each, with batch normalisation.
    pub statistics: Vec<BatchStatistics>,
}

/// One layer after the forward pass.
struct Passed {
    geometry: Geometry,
    /// What the convolution gave.
    linear: Vec<f32>,
    norm: NormRelu,
    weights: Vec<f32>,
    scale: Vec<f32>,
    /// What went in.
    input: Vec<f32>,
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

impl Network {
    /// Passes `x`, `[n][side][side][channels]`, through in train mode, and back from the loss, where
    /// `classes[i]` is the label of row `i`. Changes nothing.
    pub fn learn(&self, x: &Tensor, classes: &[usize]) -> Result<Lesson> {
        match Kernels::of(x.device()) {
            Kernels::Own => self.learn_here(x, classes),
            Kernels::Candle => by_candle::learn(self, x, classes),
        }
    }

    fn learn_here(&self, x: &Tensor, classes: &[usize]) -> Result<Lesson> {
        let mut passed: Vec<Passed> = Vec::with_capacity(self.blocks.len());
        let mut activations = numbers(x)?;
        let mut shape = x.dims4()?;
        for (i, block) in self.blocks.iter().enumerate() {
            let weights = block.weights.as_detached_tensor();
            let geometry = Geometry::new(&shape.into(), weights.shape(), block.stride)?;
            let (weights, shift) = (numbers(&weights)?, numbers(&block.shift.as_detached_tensor())?);
            let linear = geometry.forward(&activations, &weights);
            let (scale, norm) = match (&block.scale, self.kept.get(i)) {
                (Some(scale), Some(_)) => {
                    (numbers(&scale.as_detached_tensor())?, NormRelu::new(self.epsilon(), Normalise::Batch))
                }
                // Without batch normalisation: x + bias, which is normalising by nothing.
                _ => {
                    let nothing = KeptStatistics::new(shift.len());
                    (vec![1.0; shift.len()], NormRelu::new(0.0, Normalise::Kept(&nothing)))
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
            bail!("the loss does not depend on the convolutions");
        };
        let mut output = numbers(&top.as_detached_tensor())?;
        let mut by_layer: Vec<Vec<Vec<f32>>> = Vec::with_capacity(passed.len());
        for (i, layer) in passed.into_iter().enumerate().rev() {
            let Passed { geometry, linear, norm, weights, scale, input } = layer;
            let [by_linear, by_scale, by_shift] = norm.backward(&linear, &scale, &output, &back)?;
            let (by_input, by_weights) = geometry.backward(&input, &weights, &by_linear, i > 0);
            let with = self.blocks.get(i).is_some_and(|block| block.scale.is_some());
            by_layer.push(if with {
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
        Ok(Lesson { loss: f64::from(loss.to_scalar::<f32>()?), gradients, statistics })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Head, Init, Mode, ModelConfig, Norm};
    use crate::picture::PictureSpec;
    use rand::{Rng as _, SeedableRng as _};

    fn same(what: &str, ours: &[f32], theirs: &[f32]) {
        assert_eq!(theirs.len(), ours.len());
        let size = theirs.iter().fold(1e-6_f32, |size, v| size.max(v.abs()));
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() <= 2e-5 * size, "{what}: {a} {b}");
        }
    }

    /// Loss, statistics and every gradient against candle's own automatic ones.
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
            let lesson = network.learn(&x, &classes).unwrap();
            let forward = network.forward(&x, Mode::Train, true).unwrap();
            let loss = network.loss(&network.scores(&forward, true).unwrap(), &classes).unwrap();
            assert!((lesson.loss - f64::from(loss.to_scalar::<f32>().unwrap())).abs() < 1e-6);
            assert_eq!(lesson.statistics, forward.statistics);
            let grads = loss.backward().unwrap();
            let vars = network.vars();
            assert_eq!(vars.len(), lesson.gradients.len());
            for (var, ours) in vars.iter().zip(&lesson.gradients) {
                let theirs = numbers(grads.get(var).unwrap()).unwrap();
                same(&format!("{head:?} {norm:?}"), ours, &theirs);
            }
            // What a GPU would compute.
            let elsewhere = by_candle::learn(&network, &x, &classes).unwrap();
            assert!((lesson.loss - elsewhere.loss).abs() < 1e-5);
            assert_eq!(elsewhere.gradients.len(), lesson.gradients.len());
            for (theirs, ours) in elsewhere.gradients.iter().zip(&lesson.gradients) {
                same(&format!("{head:?} {norm:?}, elsewhere"), ours, theirs);
            }
            assert_eq!(elsewhere.statistics.len(), lesson.statistics.len());
            for (theirs, ours) in elsewhere.statistics.iter().zip(&lesson.statistics) {
                same("mean", &ours.mean, &theirs.mean);
                same("variance", &ours.variance, &theirs.variance);
                assert_eq!(ours.count, theirs.count);
            }
        }
    }
}
