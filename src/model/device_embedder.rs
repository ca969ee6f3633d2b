//! The embedder on another device, such as a GPU, by candle's operations.

use super::candle_kernels::conv3x3;
use super::folded::FoldedNetwork;
use super::tensor_ops::{pool, text_grams, unit};
use crate::picture::PictureSpec;
use candle_core::{Device, Result, Tensor};

/// A [`FoldedNetwork`] whose weights are on a device.
pub(super) struct DeviceEmbedder {
    device: Device,
    /// Weights, bias and stride.
    layers: Vec<(Tensor, Tensor, usize)>,
    pooled: usize,
    linear: Tensor,
    linear_bias: Option<Tensor>,
    text: Option<Tensor>,
}

impl DeviceEmbedder {
    /// Copies the weights of `network` to `device`.
    pub fn new(network: &FoldedNetwork, device: &Device) -> Result<Self> {
        let matrix = |numbers: &[f32]| {
            let columns = network.dimension.max(1);
            Tensor::from_slice(numbers, (numbers.len() / columns, columns), device)
        };
        let layers = network.layers.iter().map(|layer| {
            let filters = layer.bias.len();
            let channels = layer.weights.len() / (9 * filters.max(1));
            let weights = Tensor::from_slice(&layer.weights, (3, 3, channels, filters), device)?;
            Ok((weights, Tensor::from_slice(&layer.bias, filters, device)?, layer.layer.stride))
        });
        let layers = layers.collect::<Result<_>>()?;
        let bias = network.linear_bias.as_ref();
        Ok(Self {
            device: device.clone(),
            layers,
            pooled: network.head.pooled(),
            linear: matrix(&network.linear)?,
            linear_bias: bias.map(|bias| Tensor::from_slice(bias, bias.len(), device)).transpose()?,
            text: network.text.as_deref().map(matrix).transpose()?,
        })
    }

    /// [`super::Embedder::embed`] on the device.
    pub fn embed(&self, pictures: &[f32], spec: PictureSpec) -> Result<Vec<f32>> {
        let n = pictures.len() / spec.len().max(1);
        let shape = (n, spec.side, spec.side, spec.kind.channels());
        let pictures = Tensor::from_slice(pictures, shape, &self.device)?;
        let mut x = pictures.clone();
        for (weights, bias, stride) in &self.layers {
            x = conv3x3(&x, weights, *stride)?.broadcast_add(bias)?.relu()?;
        }
        let mut features = pool(&x, self.pooled)?.matmul(&self.linear)?;
        if let Some(text) = &self.text {
            features = (features + text_grams(&pictures)?.matmul(text)?)?;
        }
        if let Some(bias) = &self.linear_bias {
            features = features.broadcast_add(bias)?;
        }
        unit(&features)?.flatten_all()?.to_vec1()
    }
}
