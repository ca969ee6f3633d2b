//! Depthwise convolution: each channel on its own, with weights `[k][k][c]`. Channels are contiguous, so the sums of many
//! of them are kept in vectors while the taps are added.

use super::geometry::Geometry;
use super::layer::Activation;
use crate::numeric::wide;
use pulp::NullaryFnOnce;
use rayon::prelude::*;

/// What is done to each sum: the bias of its channel is added, then the activation.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    /// One for each channel.
    pub bias: &'a [f32],
    pub activation: Activation,
}

impl Geometry {
    /// The depthwise convolution of all images, on all cores.
    pub fn depthwise(self, x: &[f32], weights: &[f32]) -> Vec<f32> {
        let each = self.pixels() * self.channels;
        let mut out = vec![0.0; self.images * each];
        let bias = vec![0.0; self.channels];
        let finish = Finish { bias: &bias, activation: Activation::None };
        out.par_chunks_mut(each.max(1))
            .zip(x.par_chunks(self.image().max(1)))
            .for_each(|(out, image)| self.depthwise_on(image, weights, finish, out));
        out
    }

    /// The same of a few images on this thread, finished: `out` holds `pixels · channels` numbers per image.
    pub fn depthwise_on(self, images: &[f32], weights: &[f32], finish: Finish<'_>, out: &mut [f32]) {
        let each = (self.pixels() * self.channels).max(1);
        for (image, out) in images.chunks_exact(self.image().max(1)).zip(out.chunks_exact_mut(each)) {
            wide(Depthwise { geometry: self, image, weights, finish, out });
        }
    }
}

struct Depthwise<'a> {
    geometry: Geometry,
    image: &'a [f32],
    weights: &'a [f32],
    finish: Finish<'a>,
    out: &'a mut [f32],
}

/// The taps of one output pixel that are inside of the image.
struct Taps<'a> {
    /// Where the first one reads the image, and the weights.
    image: &'a [f32],
    weights: &'a [f32],
    rows: usize,
    columns: usize,
    /// Numbers from one row of taps to the next.
    image_row: usize,
    weights_row: usize,
    channels: usize,
}

impl NullaryFnOnce for Depthwise<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { geometry, image, weights, finish, out } = self;
        let (c, kernel, width) = (geometry.channels, geometry.kernel, geometry.width);
        for (row, out) in out.chunks_exact_mut(geometry.out_width() * c).enumerate() {
            for (column, out) in out.chunks_exact_mut(c).enumerate() {
                let (top, left) = (row * geometry.stride, column * geometry.stride);
                let rows = inside(top, geometry.before, kernel, geometry.height);
                let columns = inside(left, geometry.before, kernel, width);
                let first =
                    (top + rows.start - geometry.before) * width + left + columns.start - geometry.before;
                let taps = Taps {
                    image: image.get(first * c..).unwrap_or_default(),
                    weights: weights.get((rows.start * kernel + columns.start) * c..).unwrap_or_default(),
                    rows: rows.len(),
                    columns: columns.len(),
                    image_row: width * c,
                    weights_row: kernel * c,
                    channels: c,
                };
                // As many channels at a time as vectors have room for, whatever their width.
                let mut at = 0;
                while at + 48 <= c {
                    taps.sum::<48>(at, finish, out);
                    at += 48;
                }
                while at + 16 <= c {
                    taps.sum::<16>(at, finish, out);
                    at += 16;
                }
                while at < c {
                    taps.sum::<1>(at, finish, out);
                    at += 1;
                }
            }
        }
    }
}

impl Taps<'_> {
    /// The sums of `N` channels from channel `at` on, finished.
    #[inline(always)]
    fn sum<const N: usize>(&self, at: usize, finish: Finish<'_>, out: &mut [f32]) {
        let mut sums = [0.0_f32; N];
        for row in 0..self.rows {
            for column in 0..self.columns {
                let step = column * self.channels + at;
                let pixel = self.image.get(row * self.image_row + step..).and_then(<[f32]>::first_chunk::<N>);
                let weights =
                    self.weights.get(row * self.weights_row + step..).and_then(<[f32]>::first_chunk::<N>);
                if let (Some(pixel), Some(weights)) = (pixel, weights) {
                    for i in 0..N {
                        sums[i] += pixel[i] * weights[i];
                    }
                }
            }
        }
        let (least, most) = finish.activation.limits();
        for ((out, sum), bias) in out[at..].iter_mut().zip(sums).zip(&finish.bias[at..]) {
            let value = sum + bias;
            // Not `max`, which would turn NaN into a number and so hide it.
            let value = if value < least { least } else { value };
            *out = if value > most { most } else { value };
        }
    }
}

/// The taps of a window that starts `before` pixels before `at` and lie inside of `size` pixels.
#[inline(always)]
fn inside(at: usize, before: usize, kernel: usize, size: usize) -> std::ops::Range<usize> {
    let start = before.saturating_sub(at).min(kernel);
    let end = (size + before).saturating_sub(at).min(kernel);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::super::layer::{Layer, LayerKind, Padding};
    use super::*;

    /// The convolution by its definition.
    fn naive(geometry: Geometry, x: &[f32], weights: &[f32]) -> Vec<f32> {
        let Geometry { height, width, channels, kernel, .. } = geometry;
        let mut out = Vec::new();
        for image in x.chunks_exact(geometry.image()) {
            for row in 0..geometry.out_height() {
                for column in 0..geometry.out_width() {
                    for c in 0..channels {
                        let mut sum = 0.0;
                        for (ky, kx) in (0..kernel).flat_map(|ky| (0..kernel).map(move |kx| (ky, kx))) {
                            let at = (geometry.source(row, ky, height), geometry.source(column, kx, width));
                            if let (Some(y), Some(x)) = at {
                                let weight = weights[(ky * kernel + kx) * channels + c];
                                sum += image[(y * width + x) * channels + c] * weight;
                            }
                        }
                        out.push(sum);
                    }
                }
            }
        }
        out
    }

    #[test]
    fn equals_the_definition_on_odd_shapes() {
        for (side, channels, kernel, stride) in [
            (1, 1, 3, 1),
            (5, 3, 5, 2),
            (6, 32, 3, 2),
            (8, 40, 5, 1),
            (9, 70, 3, 1),
            (2, 33, 5, 2),
            (4, 8, 1, 1),
        ] {
            let layer = Layer {
                kind: LayerKind::Depthwise,
                kernel,
                filters: channels,
                stride,
                activation: Activation::None,
                adds: None,
                padding: Padding::Same,
            };
            let geometry = Geometry::of(&layer, 2, side, channels);
            let x: Vec<f32> = (0..2 * geometry.image()).map(|i| ((i * 7 + 3) % 11) as f32 - 5.0).collect();
            let weights: Vec<f32> =
                (0..kernel * kernel * channels).map(|i| ((i * 5 + 1) % 13) as f32 - 6.0).collect();
            let expected = naive(geometry, &x, &weights);
            assert_eq!(geometry.depthwise(&x, &weights), expected, "{side} {channels}");
            let bias: Vec<f32> = (0..channels).map(|i| i as f32).collect();
            let finish = Finish { bias: &bias, activation: Activation::Relu6 };
            let mut out = vec![9.0; expected.len()];
            geometry.depthwise_on(&x, &weights, finish, &mut out);
            let finished =
                expected.iter().enumerate().map(|(i, sum)| (sum + bias[i % channels]).clamp(0.0, 6.0));
            assert_eq!(out, finished.collect::<Vec<f32>>(), "{side} {channels}");
        }
    }
}
