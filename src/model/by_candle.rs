//! The network by candle's own operations, which run on any device: what a GPU computes. The kernels for
//! this computer's cores, in the files beside, are several times as fast there and are held to these.

use super::batch_norm::{BatchStatistics, Normalise, too_few};
use super::convolution::Geometry;
use super::embedder::Embedder;
use super::lesson::Lesson;
use super::network::{Mode, Network, text_grams, unit};
use crate::picture::PictureSpec;
use candle_core::{Device, Result, Tensor, bail};

/// As [`super::conv3x3`]: the nine taps side by side, and one matrix product. candle's own convolution has a
/// backward pass that is generic and slow.
pub fn conv3x3(x: &Tensor, weights: &Tensor, stride: usize) -> Result<Tensor> {
    let geometry = Geometry::new(x.shape(), weights.shape(), stride)?;
    let (rows, columns) = (geometry.out_height(), geometry.out_width());
    let padded = x.pad_with_zeros(1, 1, 1)?.pad_with_zeros(2, 1, 1)?;
    let every = |x: &Tensor, dimension: usize, from: usize, n: usize| {
        if stride == 1 {
            return x.narrow(dimension, from, n);
        }
        let places: Vec<u32> = (0..n).map(|i| (from + i * stride) as u32).collect();
        x.index_select(&Tensor::new(places, x.device())?, dimension)
    };
    let mut taps = Vec::with_capacity(9);
    for y in 0..3 {
        let line = every(&padded, 1, y, rows)?;
        for x in 0..3 {
            taps.push(every(&line, 2, x, columns)?);
        }
    }
    let pixels = geometry.images * rows * columns;
    let patches = Tensor::cat(&taps, 3)?.reshape((pixels, geometry.patch()))?;
    let out = patches.matmul(&weights.reshape((geometry.patch(), geometry.filters))?)?;
    out.reshape((geometry.images, rows, columns, geometry.filters))
}

/// As [`super::norm_relu`].
pub fn norm_relu(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
    by: Normalise<'_>,
) -> Result<(Tensor, Option<BatchStatistics>)> {
    let channels = gamma.elem_count();
    let count = x.elem_count() / channels.max(1);
    let rows = x.reshape((count, channels))?;
    let (centred, variance, batch) = match by {
        Normalise::Batch => {
            if count < 2 {
                return Err(too_few(count));
            }
            let mean = rows.mean_keepdim(0)?;
            let centred = rows.broadcast_sub(&mean)?;
            let variance = centred.sqr()?.mean_keepdim(0)?;
            let numbers = |tensor: &Tensor| tensor.detach().flatten_all()?.to_vec1::<f32>();
            let batch = BatchStatistics { mean: numbers(&mean)?, variance: numbers(&variance)?, count };
            (centred, variance, Some(batch))
        }
        Normalise::Kept(kept) => {
            if kept.mean.len() != channels || kept.variance.len() != channels {
                bail!("batch norm: expected statistics of {channels} channels, found {}", kept.mean.len());
            }
            let row = |numbers: &[f32]| Tensor::from_slice(numbers, (1, channels), x.device());
            (rows.broadcast_sub(&row(&kept.mean)?)?, row(&kept.variance)?, None)
        }
    };
    let deviation = (variance + epsilon)?.sqrt()?;
    let normal = centred.broadcast_div(&deviation)?.broadcast_mul(gamma)?.broadcast_add(beta)?;
    Ok((normal.relu()?.reshape(x.shape())?, batch))
}

/// As [`Network::learn`], where `x` lies.
pub fn learn(network: &Network, x: &Tensor, classes: &[usize]) -> Result<Lesson> {
    let there = network.on(x.device())?;
    let forward = there.forward_by(Kernels::Candle, x, Mode::Train, true)?;
    let loss = there.loss(&there.scores(&forward, true)?, classes)?;
    let grads = loss.backward()?;
    let gradient = |var: &candle_core::Var| match grads.get(var) {
        Some(grad) => grad.flatten_all()?.to_vec1::<f32>(),
        None => Ok(vec![0.0; var.elem_count()]),
    };
    let gradients = there.vars().iter().map(gradient).collect::<Result<_>>()?;
    Ok(Lesson { loss: f64::from(loss.to_scalar::<f32>()?), gradients, statistics: forward.statistics })
}

/// Whose kernels compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// Ours, on the cores.
    Own,
    /// candle's, on any device.
    Candle,
}

impl Kernels {
    /// Those for what lies on `device`.
    pub fn of(device: &Device) -> Self {
        if device.is_cpu() { Self::Own } else { Self::Candle }
    }

    /// The convolution.
    pub fn conv3x3(self, x: &Tensor, weights: &Tensor, stride: usize) -> Result<Tensor> {
        match self {
            Self::Own => super::conv3x3(x, weights, stride),
            Self::Candle => conv3x3(x, weights, stride),
        }
    }

    /// Batch normalisation and the rectifier.
    pub fn norm_relu(
        self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        epsilon: f64,
        by: Normalise<'_>,
    ) -> Result<(Tensor, Option<BatchStatistics>)> {
        match self {
            Self::Own => super::norm_relu(x, gamma, beta, epsilon, by),
            Self::Candle => norm_relu(x, gamma, beta, epsilon, by),
        }
    }
}

/// An [`Embedder`] whose numbers lie on a device.
pub struct DeviceEmbedder {
    device: Device,
    /// Weights, bias and stride.
    layers: Vec<(Tensor, Tensor, usize)>,
    pooled: usize,
    linear: Tensor,
    linear_bias: Option<Tensor>,
    text: Option<Tensor>,
}

impl DeviceEmbedder {
    /// Brings the numbers of `embedder`, for pictures of `channels` channels, to `device`.
    pub fn new(embedder: &Embedder, channels: usize, device: &Device) -> Result<Self> {
        let matrix = |numbers: &[f32]| {
            let columns = embedder.dimension.max(1);
            Tensor::from_slice(numbers, (numbers.len() / columns, columns), device)
        };
        let mut channels = channels;
        let layers = embedder.layers.iter().map(|layer| {
            let filters = layer.bias.len();
            let weights = Tensor::from_slice(&layer.weights, (3, 3, channels, filters), device)?;
            channels = filters;
            Ok((weights, Tensor::from_slice(&layer.bias, filters, device)?, layer.stride))
        });
        let layers = layers.collect::<Result<_>>()?;
        let bias = embedder.linear_bias.as_ref();
        Ok(Self {
            device: device.clone(),
            layers,
            pooled: embedder.pooled,
            linear: matrix(&embedder.linear)?,
            linear_bias: bias.map(|bias| Tensor::from_slice(bias, bias.len(), device)).transpose()?,
            text: embedder.text.as_deref().map(matrix).transpose()?,
        })
    }

    /// As [`Embedder::embed`].
    pub fn embed(&self, pictures: &[f32], spec: PictureSpec) -> Result<Vec<f32>> {
        let n = pictures.len() / spec.len().max(1);
        let shape = (n, spec.side, spec.side, spec.kind.channels());
        let pictures = Tensor::from_slice(pictures, shape, &self.device)?;
        let mut x = pictures.clone();
        for (weights, bias, stride) in &self.layers {
            x = conv3x3(&x, weights, *stride)?.broadcast_add(bias)?.relu()?;
        }
        let mut features = super::network::pool(&x, self.pooled)?.matmul(&self.linear)?;
        if let Some(text) = &self.text {
            features = (features + text_grams(&pictures)?.matmul(text)?)?;
        }
        if let Some(bias) = &self.linear_bias {
            features = features.broadcast_add(bias)?;
        }
        unit(&features)?.flatten_all()?.to_vec1()
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch_norm::KeptStatistics;
    use super::super::testing::{assert_close, noise};
    use super::*;
    use candle_core::Var;

    /// Our batch norm against this one: forward, backward and statistics, in both modes.
    #[test]
    fn batch_norm_equals_ours_on_odd_shapes() {
        for shape in [(2, 1, 1, 1), (1, 5, 1, 3), (1, 1, 2, 7), (9, 4, 4, 16), (3, 7, 5, 2)] {
            let channels = shape.3;
            let kept = KeptStatistics {
                mean: (0..channels).map(|i| 0.1 * i as f32 - 0.2).collect(),
                variance: (0..channels).map(|i| 0.3 + i as f32).collect(),
                batches: 1,
            };
            for by in [Normalise::Batch, Normalise::Kept(&kept)] {
                let vars = [noise(shape, 1.0), noise(channels, 2.0), noise(channels, 3.0)];
                let vars = vars.map(|tensor| Var::from_tensor(&tensor).unwrap());
                let [x, gamma, beta] = &vars;
                let [ours, theirs] = [Kernels::Own, Kernels::Candle]
                    .map(|kernels| kernels.norm_relu(x, gamma, beta, 1e-3, by).unwrap());
                assert_close(&ours.0, &theirs.0, 1e-4);
                assert_eq!(ours.1.is_some(), theirs.1.is_some());
                if let (Some(ours), Some(theirs)) = (ours.1, theirs.1) {
                    assert_eq!(ours.count, theirs.count);
                    for (a, b) in [(ours.mean, theirs.mean), (ours.variance, theirs.variance)] {
                        assert_close(
                            &Tensor::new(a, &Device::Cpu).unwrap(),
                            &Tensor::new(b, &Device::Cpu).unwrap(),
                            1e-4,
                        );
                    }
                }
                let weight = noise(shape, 4.0);
                let back = |out: Tensor| (out * &weight).unwrap().sum_all().unwrap().backward().unwrap();
                let (ours, theirs) = (back(ours.0), back(theirs.0));
                for var in &vars {
                    assert_close(ours.get(var).unwrap(), theirs.get(var).unwrap(), 1e-4);
                }
            }
        }
    }

    #[test]
    fn what_ours_refuses_is_refused() {
        let one = noise((1, 1, 1, 3), 1.0);
        let channel = noise(3, 1.0);
        let kept = KeptStatistics::new(2);
        for kernels in [Kernels::Own, Kernels::Candle] {
            let error = kernels.norm_relu(&one, &channel, &channel, 1e-3, Normalise::Batch).unwrap_err();
            assert!(error.to_string().contains("at least two values"), "{error}");
            assert!(kernels.norm_relu(&one, &channel, &channel, 1e-3, Normalise::Kept(&kept)).is_err());
            assert!(kernels.conv3x3(&one, &noise((3, 3, 2, 4), 1.0), 1).is_err());
            assert!(kernels.conv3x3(&one, &noise((3, 3, 3, 4), 1.0), 0).is_err());
        }
    }
}
