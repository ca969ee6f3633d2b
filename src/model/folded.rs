//! A network for eval mode only, with its batch normalisation folded away.
//!
//! Batch normalisation by running statistics is a scale and a shift per channel, so it folds into the
//! convolution before it: `w' = w·γ/√(variance+ε)`, `b' = β − mean·γ/√(variance+ε)`.

use super::network::Network;
use candle_core::{Result, Var};

/// One convolution with the batch norm behind it folded in.
pub(super) struct FoldedLayer {
    /// `[3][3][c][o]`.
    pub weights: Vec<f32>,
    /// One per filter.
    pub bias: Vec<f32>,
    pub stride: usize,
    /// γ and β of the batch norm, if it had one.
    pub norm: Option<(Vec<f32>, Vec<f32>)>,
}

/// The numbers of a network, folded.
pub(super) struct FoldedNetwork {
    pub layers: Vec<FoldedLayer>,
    /// Rows and columns after pooling.
    pub pooled: usize,
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
        stride: usize,
        norm: (Vec<f32>, Vec<f32>),
    ) -> Self {
        for filters in weights.chunks_exact_mut(scale.len().max(1)) {
            filters.iter_mut().zip(scale).for_each(|(weight, scale)| *weight *= scale);
        }
        Self { weights, bias, stride, norm: Some(norm) }
    }
}

impl FoldedNetwork {
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
                    FoldedLayer::scaled(weights, &scale, bias, block.stride, (gamma, shift))
                }
                _ => FoldedLayer { weights, bias: shift, stride: block.stride, norm: None },
            });
        }
        Ok(Self {
            layers,
            pooled: network.head.pooled(),
            linear: numbers(&network.linear)?,
            linear_bias: network.biases.as_ref().map(|[bias, _]| numbers(bias)).transpose()?,
            text: network.text.as_ref().map(numbers).transpose()?,
            dimension: network.dimension(),
        })
    }
}
