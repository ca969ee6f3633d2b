//! A network for eval mode only, with its batch normalisation folded away.
//!
//! Batch normalisation by running statistics is a scale and a shift per channel, so it folds into the
//! convolution before it: `w' = w·γ/√(variance+ε)`, `b' = β − mean·γ/√(variance+ε)`.

use super::config::Head;
use super::layer::Layer;
use super::network::Network;
use crate::picture::PictureSpec;
use candle_core::{Result, Var};

/// One convolution with the batch norm behind it folded in.
pub(super) struct FoldedLayer {
    /// `[k][k][c][o]`, or `[k][k][c]` if depthwise.
    pub weights: Vec<f32>,
    /// One per filter.
    pub bias: Vec<f32>,
    pub layer: Layer,
    /// γ and β of the batch norm, if it had one.
    pub norm: Option<(Vec<f32>, Vec<f32>)>,
    /// The layers whose outputs no layer after this one reads.
    pub last_use: Vec<usize>,
}

/// The numbers of a network, folded.
pub(super) struct FoldedNetwork {
    pub layers: Vec<FoldedLayer>,
    pub head: Head,
    /// `[pooled²·channels][embedding]`.
    pub linear: Vec<f32>,
    pub linear_bias: Option<Vec<f32>>,
    /// `[side²][embedding]`, from the text grams.
    pub text: Option<Vec<f32>>,
    /// Length of an embedding.
    pub dimension: usize,
}

impl FoldedLayer {
    /// Scales each filter, the last dimension of `weights`.
    fn scaled(
        mut weights: Vec<f32>,
        scale: &[f32],
        bias: Vec<f32>,
        layer: Layer,
        norm: (Vec<f32>, Vec<f32>),
    ) -> Self {
        for filters in weights.chunks_exact_mut(scale.len().max(1)) {
            filters.iter_mut().zip(scale).for_each(|(weight, scale)| *weight *= scale);
        }
        Self { weights, bias, layer, norm: Some(norm), last_use: Vec::new() }
    }
}

impl FoldedNetwork {
    /// Numbers in the largest activations of one picture.
    pub fn largest(&self, spec: PictureSpec) -> usize {
        let mut side = spec.side;
        let sizes = self.layers.iter().map(|FoldedLayer { layer, .. }| {
            side = side.div_ceil(layer.stride.max(1));
            side * side * layer.filters
        });
        sizes.max().unwrap_or(0)
    }

    /// Folds `network` with its present weights and running statistics.
    pub fn new(network: &Network) -> Result<Self> {
        let numbers = |var: &Var| var.as_detached_tensor().flatten_all()?.to_vec1::<f32>();
        let mut layers = Vec::new();
        for (i, block) in network.blocks.iter().enumerate() {
            let (weights, shift) = (numbers(&block.weights)?, numbers(&block.shift)?);
            layers.push(match (&block.scale, network.running.get(i)) {
                (Some(scale), Some(running)) => {
                    let gamma = numbers(scale)?;
                    let scale: Vec<f32> = gamma
                        .iter()
                        .zip(&running.variance)
                        .map(|(scale, v)| {
                            (f64::from(*scale) / (f64::from(*v) + network.epsilon()).sqrt()) as f32
                        })
                        .collect();
                    let bias = shift.iter().zip(&running.mean).zip(&scale);
                    let bias = bias.map(|((shift, mean), scale)| shift - mean * scale).collect();
                    FoldedLayer::scaled(weights, &scale, bias, block.layer, (gamma, shift))
                }
                _ => {
                    FoldedLayer { weights, bias: shift, layer: block.layer, norm: None, last_use: Vec::new() }
                }
            });
        }
        for output in 0..layers.len().saturating_sub(1) {
            let read =
                |(i, layer): (usize, &FoldedLayer)| i == output + 1 || layer.layer.adds == Some(output);
            let last = (0..).zip(&layers).filter(|layer| read(*layer)).map(|(i, _)| i).last();
            if let Some(last) = last.and_then(|last| layers.get_mut(last)) {
                last.last_use.push(output);
            }
        }
        Ok(Self {
            layers,
            head: network.head,
            linear: numbers(&network.linear)?,
            linear_bias: network.linear_bias.as_ref().map(numbers).transpose()?,
            text: network.text.as_ref().map(numbers).transpose()?,
            dimension: network.dimension(),
        })
    }
}
