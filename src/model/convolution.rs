//! Convolution of all channels: patches copied into a matrix (im2col), a few images at a time so that they stay in cache,
//! then one matrix product. The 3×3 convolution with a border of one zero is a candle operation too.
//!
//! Input `[n][h][w][c]`, weights `[3][3][c][o]`, output `[n][⌈h/s⌉][⌈w/s⌉][o]` for stride `s`. The batch is
//! always split the same way, whatever the number of threads, so that sums have a fixed order and training
//! gives the same bits.

use super::geometry::Geometry;
use super::matmul::{Matrix, matmul};
use super::slices::{contiguous, with_f32};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// One product takes the patches of at least this many output pixels.
const ROWS: usize = 1024;
/// Parts of a batch whose weight gradients are summed separately.
const LANES: usize = 8;

/// Convolves `x`, `[n][h][w][c]`, with `weights`, `[3][3][c][o]`, stride 1 or more, border 1.
pub fn conv3x3(x: &Tensor, weights: &Tensor, stride: usize) -> Result<Tensor> {
    x.contiguous()?.apply_op2(&weights.contiguous()?, Conv3x3 { stride })
}

struct Conv3x3 {
    stride: usize,
}

impl Geometry {
    /// Images whose patches are multiplied together.
    fn group(self) -> usize {
        ROWS.div_ceil(self.pixels().max(1))
    }

    /// Whether the patches are the pixels themselves.
    pub fn is_pointwise(self) -> bool {
        self.kernel == 1 && self.stride == 1
    }

    /// Copies the patches of one image to `[pixels][k][k][c]`.
    fn patches(self, image: &[f32], out: &mut [f32]) {
        let c = self.channels;
        for (row, out) in out.chunks_exact_mut(self.out_width() * self.patch()).enumerate() {
            for (column, out) in out.chunks_exact_mut(self.patch()).enumerate() {
                for (tap, out) in out.chunks_exact_mut(self.kernel * c).enumerate() {
                    let Some(y) = self.source(row, tap, self.height) else {
                        out.fill(0.0);
                        continue;
                    };
                    let line = &image[y * self.width * c..(y + 1) * self.width * c];
                    let left = (column * self.stride).checked_sub(self.before);
                    if let Some(left) = left.filter(|left| left + self.kernel <= self.width) {
                        out.copy_from_slice(&line[left * c..(left + self.kernel) * c]);
                        continue;
                    }
                    for (tap, out) in out.chunks_exact_mut(c).enumerate() {
                        match self.source(column, tap, self.width) {
                            Some(x) => out.copy_from_slice(&line[x * c..(x + 1) * c]),
                            None => out.fill(0.0),
                        }
                    }
                }
            }
        }
    }

    /// The reverse: adds the gradient of each patch to the pixels it was read from.
    fn add_patches(self, patches: &[f32], image: &mut [f32]) {
        let c = self.channels;
        for (row, part) in patches.chunks_exact(self.out_width() * self.patch()).enumerate() {
            for (column, part) in part.chunks_exact(self.patch()).enumerate() {
                for (tap, part) in part.chunks_exact(self.kernel * c).enumerate() {
                    let Some(y) = self.source(row, tap, self.height) else {
                        continue;
                    };
                    let line = &mut image[y * self.width * c..(y + 1) * self.width * c];
                    for (tap, part) in part.chunks_exact(c).enumerate() {
                        if let Some(x) = self.source(column, tap, self.width) {
                            for (to, from) in line[x * c..(x + 1) * c].iter_mut().zip(part) {
                                *to += from;
                            }
                        }
                    }
                }
            }
        }
    }

    /// The convolution of all images, on all cores.
    pub fn forward(self, x: &[f32], weights: &[f32]) -> Vec<f32> {
        let (pixels, patch, group) = (self.pixels(), self.patch(), self.group());
        let mut out = vec![0.0; self.images * pixels * self.filters];
        if out.is_empty() {
            return out;
        }
        let weights = Matrix::new(weights, patch, self.filters);
        let buffer = if self.is_pointwise() { 0 } else { group * pixels * patch };
        out.par_chunks_mut(group * pixels * self.filters)
            .zip(x.par_chunks(group * self.image()))
            .for_each_init(
                || vec![0.0; buffer],
                |buffer, (out, images)| {
                    if self.is_pointwise() {
                        let rows = images.len() / self.channels.max(1);
                        return matmul(Matrix::new(images, rows, patch), weights, false, out);
                    }
                    let rows = self.group_patches(images, buffer);
                    matmul(Matrix::new(buffer, rows, patch), weights, false, out);
                },
            );
        out
    }

    /// The convolution of a few images on this thread: `out` holds `pixels · filters` numbers per image.
    /// `buffer` grows to hold their patches.
    pub fn forward_on(self, images: &[f32], weights: &[f32], buffer: &mut Vec<f32>, out: &mut [f32]) {
        let group = images.len() / self.image().max(1);
        let weights = Matrix::new(weights, self.patch(), self.filters);
        if self.is_pointwise() {
            let rows = group * self.pixels();
            return matmul(Matrix::new(images, rows, self.channels), weights, false, out);
        }
        buffer.resize(group * self.pixels() * self.patch(), 0.0);
        let rows = self.group_patches(images, buffer);
        matmul(Matrix::new(buffer, rows, self.patch()), weights, false, out);
    }

    /// Copies the patches of a few images to `buffer`; returns the number of rows of the matrix.
    fn group_patches(self, images: &[f32], buffer: &mut [f32]) -> usize {
        let each = self.pixels() * self.patch();
        for (image, out) in images.chunks_exact(self.image()).zip(buffer.chunks_exact_mut(each)) {
            self.patches(image, out);
        }
        images.len() / self.image() * self.pixels()
    }

    /// Gradients of the input (if `want_input`) and of the weights.
    pub fn backward(
        self,
        x: &[f32],
        weights: &[f32],
        grad: &[f32],
        want_input: bool,
    ) -> (Vec<f32>, Vec<f32>) {
        let (pixels, patch, group) = (self.pixels(), self.patch(), self.group());
        let lane = self.images.div_ceil(LANES).next_multiple_of(group);
        let weights = Matrix::new(weights, patch, self.filters);
        let mut input_grad = vec![0.0; if want_input { x.len() } else { 0 }];
        // Without an input gradient there is nothing to zip with: give each lane an empty slice.
        let mut parts: Vec<&mut [f32]> = if want_input {
            input_grad.chunks_mut(lane * self.image()).collect()
        } else {
            x.chunks(lane * self.image()).map(|_| &mut [][..]).collect()
        };
        let lanes: Vec<Vec<f32>> = parts
            .par_iter_mut()
            .zip(x.par_chunks(lane * self.image()))
            .zip(grad.par_chunks(lane * pixels * self.filters))
            .map(|((input_grad, x), grad)| {
                let mut weight_grad = vec![0.0; patch * self.filters];
                let mut buffer = vec![0.0; group * pixels * patch];
                let groups = x.chunks(group * self.image()).zip(grad.chunks(group * pixels * self.filters));
                for (i, (images, grad)) in groups.enumerate() {
                    let rows = self.group_patches(images, &mut buffer);
                    let grad = Matrix::new(grad, rows, self.filters);
                    matmul(Matrix::new(&buffer, rows, patch).t(), grad, true, &mut weight_grad);
                    if want_input {
                        matmul(grad, weights.t(), false, &mut buffer);
                        let first = i * group * self.image();
                        let part = &mut input_grad[first..first + images.len()];
                        let each = pixels * patch;
                        for (image, patches) in
                            part.chunks_exact_mut(self.image()).zip(buffer.chunks_exact(each))
                        {
                            self.add_patches(patches, image);
                        }
                    }
                }
                weight_grad
            })
            .collect();
        let mut weight_grad = vec![0.0; patch * self.filters];
        for lane in lanes {
            for (sum, part) in weight_grad.iter_mut().zip(lane) {
                *sum += part;
            }
        }
        (input_grad, weight_grad)
    }
}

impl CustomOp2 for Conv3x3 {
    fn name(&self) -> &'static str {
        "conv3x3"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let geometry = Geometry::new(xl.shape(), wl.shape(), self.stride)?;
        let out = geometry.forward(contiguous(x, xl)?, contiguous(w, wl)?);
        let shape = (geometry.images, geometry.out_height(), geometry.out_width(), geometry.filters);
        Ok((CpuStorage::F32(out), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let geometry = Geometry::new(x.shape(), w.shape(), self.stride)?;
        let want_input = x.track_op();
        let grad = grad.contiguous()?;
        let (input, weights) = with_f32(x, |x| {
            with_f32(w, |w| with_f32(&grad, |grad| Ok(geometry.backward(x, w, grad, want_input))))
        })?;
        let input = if want_input { Some(Tensor::from_vec(input, x.shape(), x.device())?) } else { None };
        Ok((input, Some(Tensor::from_vec(weights, w.shape(), w.device())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::candle_kernels;
    use crate::model::testing::{assert_close, assert_finite_differences, noise};
    use candle_core::Var;

    /// candle's own convolution, on channels-last tensors.
    fn candle_conv(x: &Tensor, w: &Tensor, stride: usize) -> Tensor {
        let x = x.permute((0, 3, 1, 2)).unwrap();
        let w = w.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
        let out = x.contiguous().unwrap().conv2d(&w, 1, stride, 1, 1).unwrap();
        out.permute((0, 2, 3, 1)).unwrap()
    }

    #[test]
    fn equals_candles_convolution_forward_and_backward_on_odd_shapes() {
        let shapes = [
            (1, 1, 1, 1, 1, 1),
            (1, 5, 1, 2, 3, 1),
            (3, 4, 6, 5, 2, 2),
            (9, 8, 8, 3, 4, 1),
            (2, 7, 7, 1, 1, 2),
            (17, 16, 16, 4, 8, 2),
            (1, 9, 9, 2, 2, 4),
        ];
        for (n, h, w, c, o, stride) in shapes {
            let x = Var::from_tensor(&noise((n, h, w, c), 1.0)).unwrap();
            let k = Var::from_tensor(&noise((3, 3, c, o), 2.0)).unwrap();
            let theirs = candle_conv(&x, &k, stride);
            let weight = noise(theirs.shape(), 3.0);
            let back = |out: &Tensor| (out * &weight).unwrap().sum_all().unwrap().backward().unwrap();
            for conv3x3 in [conv3x3, candle_kernels::conv3x3] {
                let ours = conv3x3(&x, &k, stride).unwrap();
                assert_close(&ours, &theirs, 2e-4);
                let (ours, theirs) = (back(&ours), back(&theirs));
                assert_close(ours.get(&k).unwrap(), theirs.get(&k).unwrap(), 2e-4);
                assert_close(ours.get(&x).unwrap(), theirs.get(&x).unwrap(), 2e-4);
            }
        }
    }

    /// The gradients against finite differences. A convolution is linear in each of its two arguments, so a
    /// large difference is as exact as a small one and loses less to rounding.
    #[test]
    fn gradients_equal_finite_differences() {
        for (n, h, w, c, o, stride) in [(1, 1, 4, 1, 2, 1), (2, 5, 3, 2, 3, 2), (1, 6, 6, 3, 1, 4)] {
            let x = Var::from_tensor(&noise((n, h, w, c), 1.0)).unwrap();
            let k = Var::from_tensor(&noise((3, 3, c, o), 2.0)).unwrap();
            let weight = noise((n, h.div_ceil(stride), w.div_ceil(stride), o), 3.0);
            for conv3x3 in [conv3x3, candle_kernels::conv3x3] {
                assert_finite_differences(&[&x, &k], 1.0, 1e-4, || {
                    (conv3x3(&x, &k, stride).unwrap() * &weight).unwrap().sum_all().unwrap()
                });
            }
        }
    }

    #[test]
    fn wrong_shapes_are_errors() {
        let x = noise((1, 4, 4, 3), 1.0);
        assert!(conv3x3(&x, &noise((3, 3, 2, 4), 1.0), 1).is_err());
        assert!(conv3x3(&x, &noise((5, 5, 3, 4), 1.0), 1).is_err());
        assert!(conv3x3(&x, &noise((3, 3, 3, 4), 1.0), 0).is_err());
    }
}
