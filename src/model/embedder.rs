//! The embedder: a network made ready to look files up, in eval mode alone.
//!
//! Batch normalisation by kept statistics is a scale and a shift a channel, so it folds into the
//! convolution before it: `w' = w·γ/√(variance+ε)`, `b' = β − mean·γ/√(variance+ε)`. A few images go through
//! all layers on one thread while their activations stay in cache; nothing is remembered for a
//! backward pass.

use super::by_candle::DeviceEmbedder;
use super::config::Head;
use super::convolution::Geometry;
use super::matmul::{Matrix, matmul};
use crate::picture::{PictureSpec, TEXT_PLANE};
use candle_core::Result;
use rayon::prelude::*;

/// Images that pass together.
const GROUP: usize = 4;

/// One convolution with what follows it folded in.
pub(super) struct Folded {
    /// `[3][3][c][o]`.
    pub weights: Vec<f32>,
    /// Of each filter.
    pub bias: Vec<f32>,
    /// Rows and columns that it moves on.
    pub stride: usize,
}

/// It.
pub struct Embedder {
    pub(super) layers: Vec<Folded>,
    /// Rows and columns after pooling.
    pub(super) pooled: usize,
    /// `[pooled²·channels][embedding]`.
    pub(super) linear: Vec<f32>,
    pub(super) linear_bias: Option<Vec<f32>>,
    /// `[side²][embedding]`, from the text grams.
    pub(super) text: Option<Vec<f32>>,
    pub(super) dimension: usize,
    /// The same on a GPU, if that computes.
    pub(super) elsewhere: Option<DeviceEmbedder>,
}

/// Memory of one thread.
#[derive(Default)]
struct Scratch {
    patches: Vec<f32>,
    /// Activations before and after a layer.
    from: Vec<f32>,
    to: Vec<f32>,
}

impl Folded {
    /// `weights` scaled a filter: the last dimension.
    pub fn fold(mut weights: Vec<f32>, scale: &[f32], bias: Vec<f32>, stride: usize) -> Self {
        for filters in weights.chunks_exact_mut(scale.len().max(1)) {
            filters.iter_mut().zip(scale).for_each(|(weight, scale)| *weight *= scale);
        }
        Self { weights, bias, stride }
    }
}

impl Embedder {
    /// Embeds `pictures`, `[n][side][side][channels]`: `[n][embedding]`, each of length 1. Fails only on a
    /// GPU that fails.
    pub fn embed(&self, pictures: &[f32], spec: PictureSpec) -> Result<Vec<f32>> {
        match &self.elsewhere {
            Some(embedder) => embedder.embed(pictures, spec),
            None => Ok(self.embed_here(pictures, spec)),
        }
    }

    fn embed_here(&self, pictures: &[f32], spec: PictureSpec) -> Vec<f32> {
        let n = pictures.len() / spec.len().max(1);
        let mut out = vec![0.0; n * self.dimension];
        // One picture a thread where there are few.
        let group = n.div_ceil(rayon::current_num_threads().max(1)).clamp(1, GROUP);
        out.par_chunks_mut(group * self.dimension.max(1))
            .zip(pictures.par_chunks(group * spec.len().max(1)))
            .for_each_init(Scratch::default, |scratch, (out, pictures)| {
                self.group(pictures, spec, scratch, out);
            });
        out
    }

    fn group(&self, pictures: &[f32], spec: PictureSpec, scratch: &mut Scratch, out: &mut [f32]) {
        let images = pictures.len() / spec.len();
        let (mut side, mut channels) = (spec.side, spec.kind.channels());
        let Scratch { patches, from, to } = scratch;
        for (i, layer) in self.layers.iter().enumerate() {
            let filters = layer.bias.len();
            let stride = layer.stride;
            let geometry = Geometry { images, height: side, width: side, channels, filters, stride };
            to.resize(images * geometry.pixels() * filters, 0.0);
            let input = if i == 0 { pictures } else { from.as_slice() };
            geometry.forward_on(input, &layer.weights, patches, to);
            for pixel in to.chunks_exact_mut(filters.max(1)) {
                for (v, bias) in pixel.iter_mut().zip(&layer.bias) {
                    let value = *v + bias;
                    // As the network does: what is not a number stays so.
                    *v = if value < 0.0 { 0.0 } else { value };
                }
            }
            std::mem::swap(from, to);
            (side, channels) = (geometry.out_height(), filters);
        }
        let activations = if self.layers.is_empty() { pictures } else { from.as_slice() };
        let features = self.pooled * self.pooled * channels;
        to.clear();
        to.resize(images * features, 0.0);
        for (image, pooled) in
            activations.chunks_exact(side * side * channels).zip(to.chunks_exact_mut(features.max(1)))
        {
            pool(image, side, channels, self.pooled, pooled);
        }
        matmul(
            Matrix::new(to, images, features),
            Matrix::new(&self.linear, features, self.dimension),
            false,
            out,
        );
        if let Some(text) = &self.text {
            let pixels = spec.side * spec.side;
            let planes = spec.kind.channels();
            patches.clear();
            patches.extend(pictures.iter().skip(TEXT_PLANE).step_by(planes));
            matmul(
                Matrix::new(patches, images, pixels),
                Matrix::new(text, pixels, self.dimension),
                true,
                out,
            );
        }
        for row in out.chunks_exact_mut(self.dimension.max(1)) {
            if let Some(bias) = &self.linear_bias {
                row.iter_mut().zip(bias).for_each(|(v, bias)| *v += bias);
            }
            let length = (row.iter().map(|v| v * v).sum::<f32>() + 1e-12).sqrt();
            row.iter_mut().for_each(|v| *v /= length);
        }
    }
}

/// Means of `pooled × pooled` equal parts of `image`, `[side][side][c]`.
fn pool(image: &[f32], side: usize, c: usize, pooled: usize, out: &mut [f32]) {
    let part = side / pooled.max(1);
    let share = 1.0 / (part * part).max(1) as f32;
    for (i, pixel) in image.chunks_exact(c.max(1)).enumerate() {
        let (row, column) = (i / side / part.max(1), i % side / part.max(1));
        let first = (row * pooled + column) * c;
        for (to, from) in out[first..first + c].iter_mut().zip(pixel) {
            *to += from * share;
        }
    }
}

/// Rows and columns that are left of a picture before the linear layer.
pub(super) fn pooled(head: Head) -> usize {
    match head {
        Head::Cosine => 4,
        Head::Classifier => 1,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::by_candle::DeviceEmbedder;
    use crate::model::{Head, Init, Mode, ModelConfig, Network, Norm};
    use crate::picture::PictureSpec;
    use candle_core::{Device, Tensor};
    use rand::{Rng as _, SeedableRng as _};

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
            for kept in &mut network.kept {
                kept.mean.iter_mut().for_each(|v| *v = rng.random_range(-0.5..0.5));
                kept.variance.iter_mut().for_each(|v| *v = rng.random_range(0.1..2.0));
            }
            for n in [1, 9] {
                let x: Vec<f32> = (0..n * spec.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
                let shape = (n, spec.side, spec.side, spec.kind.channels());
                let tensor = Tensor::from_slice(&x, shape, &Device::Cpu).unwrap();
                let want = network.forward(&tensor, Mode::Eval, false).unwrap().embeddings;
                let want: Vec<f32> = want.flatten_all().unwrap().to_vec1().unwrap();
                let embedder = network.embedder().unwrap();
                let elsewhere = DeviceEmbedder::new(&embedder, spec.kind.channels(), &Device::Cpu).unwrap();
                for got in [embedder.embed_here(&x, spec), elsewhere.embed(&x, spec).unwrap()] {
                    assert_eq!(got.len(), want.len());
                    for (a, b) in got.iter().zip(&want) {
                        assert!((a - b).abs() < 2e-5, "{head:?} {norm:?}: {a} {b}");
                    }
                }
            }
        }
    }
}
