//! The embedder: a network prepared to embed pictures, only in eval mode.
//!
//! A few images go through all layers of the [folded](super::folded) network on one thread while their
//! activations stay in cache. Nothing is recorded for a backward pass.

use super::config::Head;
use super::depthwise::Finish;
use super::device_embedder::DeviceEmbedder;
use super::folded::{FoldedLayer, FoldedNetwork};
use super::geometry::Geometry;
use super::kernels::Kernels;
use super::layer::LayerKind;
use super::layer_shift::LayerShifts;
use super::matmul::{Matrix, matmul};
use super::network::Network;
use super::norm_loops::add_bias;
use super::pooling::{pool, pool_grid};
use super::processor::Processor;
use crate::picture::{PictureSpec, TEXT_PLANE};
use candle_core::Result;
use rayon::prelude::*;

/// Images that go through the layers together.
const GROUP: usize = 4;
/// Numbers that the largest activations of such a group may have, so that they stay in cache.
const CACHED: usize = 1 << 19;
/// Numbers of the output of a 1×1 convolution that are computed together.
const TILE: usize = 1 << 15;

/// A network prepared to embed pictures on the processor in use.
pub struct Embedder {
    network: FoldedNetwork,
    /// The same on a GPU, if one computes.
    device: Option<DeviceEmbedder>,
}

/// Buffers of one thread.
#[derive(Default)]
struct Scratch {
    patches: Vec<f32>,
    /// Activations by layer, of those that are still needed.
    outputs: Vec<Vec<f32>>,
    spare: Vec<Vec<f32>>,
    pooled: Vec<f32>,
}

impl Embedder {
    /// Prepares `network` with its present weights and running statistics.
    pub fn new(network: &Network) -> Result<Self> {
        let plain = network.is_plain();
        let network = FoldedNetwork::new(network)?;
        let device = &Processor::get().device;
        let device = match Kernels::of(device) {
            Kernels::Candle if plain => Some(DeviceEmbedder::new(&network, device)?),
            Kernels::Own | Kernels::Candle => None,
        };
        Ok(Self { network, device })
    }

    /// Embeds `pictures`, `[n][side][side][channels]`: `[n][embedding]`, each of length 1. Fails only if a
    /// GPU fails.
    pub fn embed(&self, pictures: &[f32], spec: PictureSpec) -> Result<Vec<f32>> {
        match &self.device {
            Some(embedder) => embedder.embed(pictures, spec),
            None => Ok(self.embed_on_cpu(pictures, spec)),
        }
    }

    fn embed_on_cpu(&self, pictures: &[f32], spec: PictureSpec) -> Vec<f32> {
        let n = pictures.len() / spec.len().max(1);
        let mut out = vec![0.0; n * self.network.dimension];
        // With few pictures, one per thread.
        let most = (CACHED / self.network.largest(spec).max(1)).clamp(1, GROUP);
        let group = n.div_ceil(rayon::current_num_threads().max(1)).clamp(1, most);
        out.par_chunks_mut(group * self.network.dimension.max(1))
            .zip(pictures.par_chunks(group * spec.len().max(1)))
            .for_each_init(Scratch::default, |scratch, (out, pictures)| {
                self.group(pictures, spec, scratch, None, out);
            });
        out
    }

    /// [`embed`](Self::embed), and the layer shift of each picture; `None` without batch norm. Always on the CPU.
    pub fn embed_with_shifts(&self, pictures: &[f32], spec: PictureSpec) -> (Vec<f32>, Vec<Option<f32>>) {
        let n = pictures.len() / spec.len().max(1);
        let mut out = vec![0.0; n * self.network.dimension];
        let shifts: Vec<Vec<f32>> = out
            .par_chunks_mut(self.network.dimension.max(1))
            .zip(pictures.par_chunks(spec.len().max(1)))
            .map_init(Scratch::default, |scratch, (out, picture)| {
                let mut shifts = LayerShifts::default();
                self.group(picture, spec, scratch, Some(&mut shifts), out);
                shifts.finish()
            })
            .collect();
        (out, shifts.into_iter().map(|shifts| shifts.first().copied()).collect())
    }

    fn group(
        &self,
        pictures: &[f32],
        spec: PictureSpec,
        scratch: &mut Scratch,
        mut shifts: Option<&mut LayerShifts>,
        out: &mut [f32],
    ) {
        let images = pictures.len() / spec.len();
        let (mut side, mut channels) = (spec.side, spec.kind.channels());
        let Scratch { patches, outputs, spare, pooled } = scratch;
        spare.append(outputs);
        for (i, folded) in self.network.layers.iter().enumerate() {
            let FoldedLayer { weights, bias, layer, last_use, .. } = folded;
            let geometry = Geometry::of(layer, images, side, channels);
            let mut to = spare.pop().unwrap_or_default();
            to.resize(images * geometry.pixels() * geometry.filters, 0.0);
            let input =
                i.checked_sub(1).and_then(|before| outputs.get(before)).map_or(pictures, Vec::as_slice);
            match layer.kind {
                LayerKind::Depthwise => {
                    let finish = Finish { bias, activation: layer.activation };
                    geometry.depthwise_on(input, weights, finish, &mut to);
                }
                LayerKind::Full if geometry.is_pointwise() && shifts.is_none() => {
                    // A few rows at a time, so that they are still in cache when the bias is added.
                    let rows = (TILE / geometry.filters.max(1)).max(1);
                    let weights = Matrix::new(weights, channels, geometry.filters);
                    for (input, to) in
                        input.chunks(rows * channels).zip(to.chunks_mut(rows * geometry.filters))
                    {
                        matmul(Matrix::new(input, input.len() / channels, channels), weights, false, to);
                        add_bias(to, bias, layer.activation);
                    }
                }
                LayerKind::Full => {
                    geometry.forward_on(input, weights, patches, &mut to);
                    if let Some(shifts) = &mut shifts {
                        shifts.add(folded, &to, geometry.pixels());
                    }
                    add_bias(&mut to, bias, layer.activation);
                }
            }
            if let Some(added) = layer.adds.and_then(|earlier| outputs.get(earlier)) {
                to.iter_mut().zip(added).for_each(|(to, from)| *to += from);
            }
            outputs.push(to);
            for used in last_use {
                spare.push(std::mem::take(&mut outputs[*used]));
            }
            (side, channels) = (geometry.out_height(), geometry.filters);
        }
        let activations = outputs.last().map_or(pictures, Vec::as_slice);
        let parts = self.network.head.pooled();
        let features = parts * parts * channels;
        pooled.clear();
        pooled.resize(images * features, 0.0);
        for (image, pooled) in
            activations.chunks_exact(side * side * channels).zip(pooled.chunks_exact_mut(features.max(1)))
        {
            if self.network.head == Head::Grid {
                pool_grid(image, side, channels, parts, pooled);
                unit(pooled);
            } else {
                pool(image, side, channels, parts, pooled);
            }
        }
        matmul(
            Matrix::new(pooled, images, features),
            Matrix::new(&self.network.linear, features, self.network.dimension),
            false,
            out,
        );
        if let Some(text) = &self.network.text {
            let pixels = spec.side * spec.side;
            let planes = spec.kind.channels();
            patches.clear();
            patches.extend(pictures.iter().skip(TEXT_PLANE).step_by(planes));
            matmul(
                Matrix::new(patches, images, pixels),
                Matrix::new(text, pixels, self.network.dimension),
                true,
                out,
            );
        }
        for row in out.chunks_exact_mut(self.network.dimension.max(1)) {
            if let Some(bias) = &self.network.linear_bias {
                row.iter_mut().zip(bias).for_each(|(v, bias)| *v += bias);
            }
            unit(row);
        }
    }
}

/// Scales `row` to length 1.
fn unit(row: &mut [f32]) {
    let length = (row.iter().map(|v| v * v).sum::<f32>() + 1e-12).sqrt();
    row.iter_mut().for_each(|v| *v /= length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Head, Init, Mode, ModelConfig, Norm};
    use candle_core::{Device, Tensor};
    use rand::{Rng as _, SeedableRng as _};

    #[test]
    fn a_picture_like_those_of_the_statistics_has_a_small_shift_and_another_a_large_one() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let spec = PictureSpec::image(32);
        let mut config = ModelConfig::new(spec, vec!["a".into(), "b".into()]);
        config.convolutions = vec![(8, 2), (8, 2)];
        let mut network = Network::new(&config, Init::Default, &mut rng).unwrap();
        let mut pictures = |n: usize, mean: f32| -> Vec<f32> {
            (0..n * spec.len()).map(|_| mean + rng.random_range(-1.0..1.0)).collect()
        };
        let shape = |n: usize| (n, spec.side, spec.side, spec.kind.channels());
        let kept = Tensor::from_vec(pictures(16, 0.0), shape(16), &Device::Cpu).unwrap();
        let seen = network.forward(&kept, Mode::Train, false).unwrap().statistics;
        for (running, seen) in network.running.iter_mut().zip(seen) {
            (running.mean, running.variance) = (seen.mean, seen.variance);
        }
        let embedder = Embedder::new(&network).unwrap();
        let shift = |pictures: &[f32]| embedder.embed_with_shifts(pictures, spec).1[0].unwrap();
        let (like, unlike) = (shift(&pictures(1, 0.0)), shift(&pictures(1, 3.0)));
        assert!(like < 0.3 && unlike > 1.0, "{like} {unlike}");
    }

    #[test]
    fn equals_the_network_in_eval_mode() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
        for (head, norm, spec) in [
            (Head::Cosine, Norm::Batch, PictureSpec::BYTES),
            (Head::Cosine, Norm::None, PictureSpec::image(32)),
            (Head::Classifier, Norm::Batch, PictureSpec::image(32)),
            (Head::Classifier, Norm::None, PictureSpec::BYTES),
        ] {
            let mut config = ModelConfig::new(spec, vec!["a".into(), "b".into()]);
            (config.head, config.norm) = (head, norm);
            config.convolutions = vec![(5, 2), (7, 2), (6, 1)];
            let mut network = Network::new(&config, Init::Default, &mut rng).unwrap();
            for running in &mut network.running {
                running.mean.iter_mut().for_each(|v| *v = rng.random_range(-0.5..0.5));
                running.variance.iter_mut().for_each(|v| *v = rng.random_range(0.1..2.0));
            }
            for n in [1, 9] {
                let x: Vec<f32> = (0..n * spec.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
                let shape = (n, spec.side, spec.side, spec.kind.channels());
                let tensor = Tensor::from_slice(&x, shape, &Device::Cpu).unwrap();
                let want = network.forward(&tensor, Mode::Eval, false).unwrap().embeddings;
                let want: Vec<f32> = want.flatten_all().unwrap().to_vec1().unwrap();
                let embedder = Embedder::new(&network).unwrap();
                let (with_shifts, shifts) = embedder.embed_with_shifts(&x, spec);
                assert!(with_shifts.iter().zip(&want).all(|(a, b)| (a - b).abs() < 2e-5));
                assert!(shifts.len() == n && shifts.iter().all(|s| s.is_some() == (norm == Norm::Batch)));
                let device = DeviceEmbedder::new(&embedder.network, &Device::Cpu).unwrap();
                for got in [embedder.embed_on_cpu(&x, spec), device.embed(&x, spec).unwrap()] {
                    assert_eq!(got.len(), want.len());
                    for (a, b) in got.iter().zip(&want) {
                        assert!((a - b).abs() < 2e-5, "{head:?} {norm:?}: {a} {b}");
                    }
                }
            }
        }
    }
}
