//! The heavy layers by candle's own operations, which run on any device: what a GPU computes. Our kernels for
//! the CPU are several times as fast there, and are tested against these.

use super::geometry::Geometry;
use super::statistics::{BatchStatistics, Normalise, too_few};
use candle_core::{Result, Tensor, bail};

/// [`super::convolution::conv3x3`] as nine shifted copies side by side and one matrix product. candle's own
/// convolution has a generic and slow backward pass.
pub fn conv3x3(x: &Tensor, weights: &Tensor, stride: usize) -> Result<Tensor> {
    let geometry = Geometry::new(x.shape(), weights.shape(), stride)?;
    let (rows, columns) = (geometry.out_height(), geometry.out_width());
    let padded = x.pad_with_zeros(1, 1, 1)?.pad_with_zeros(2, 1, 1)?;
    let every_nth = |x: &Tensor, dimension: usize, from: usize, n: usize| {
        if stride == 1 {
            return x.narrow(dimension, from, n);
        }
        let indices: Vec<u32> = (0..n).map(|i| (from + i * stride) as u32).collect();
        x.index_select(&Tensor::new(indices, x.device())?, dimension)
    };
    let mut taps = Vec::with_capacity(9);
    for y in 0..3 {
        let line = every_nth(&padded, 1, y, rows)?;
        for x in 0..3 {
            taps.push(every_nth(&line, 2, x, columns)?);
        }
    }
    let pixels = geometry.images * rows * columns;
    let patches = Tensor::cat(&taps, 3)?.reshape((pixels, geometry.patch()))?;
    let out = patches.matmul(&weights.reshape((geometry.patch(), geometry.filters))?)?;
    out.reshape((geometry.images, rows, columns, geometry.filters))
}

/// [`super::batch_norm::norm_relu`] by tensor operations.
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
        Normalise::Running(running) => {
            if running.mean.len() != channels || running.variance.len() != channels {
                bail!("batch norm: expected statistics of {channels} channels, found {}", running.mean.len());
            }
            let row = |numbers: &[f32]| Tensor::from_slice(numbers, (1, channels), x.device());
            (rows.broadcast_sub(&row(&running.mean)?)?, row(&running.variance)?, None)
        }
    };
    let deviation = (variance + epsilon)?.sqrt()?;
    let normal = centred.broadcast_div(&deviation)?.broadcast_mul(gamma)?.broadcast_add(beta)?;
    Ok((normal.relu()?.reshape(x.shape())?, batch))
}
