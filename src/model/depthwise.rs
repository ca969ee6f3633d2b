//! Depthwise convolution: each channel by itself, with weights `[k][k][c]`. Channels are contiguous, so the sums of many
//! of them are kept in vectors while the taps are added.

use super::geometry::Geometry;
use crate::numeric::wide;
use pulp::NullaryFnOnce;
use rayon::prelude::*;

/// Channels that are summed together.
const LANES: usize = 32;

impl Geometry {
    /// The depthwise convolution of all images, on all cores.
    pub fn depthwise(self, x: &[f32], weights: &[f32]) -> Vec<f32> {
        let each = self.pixels() * self.channels;
        let mut out = vec![0.0; self.images * each];
        out.par_chunks_mut(each.max(1))
            .zip(x.par_chunks(self.image().max(1)))
            .for_each(|(out, image)| self.depthwise_on(image, weights, out));
        out
    }

    /// The same of a few images on this thread: `out` holds `pixels · channels` numbers per image.
    pub fn depthwise_on(self, images: &[f32], weights: &[f32], out: &mut [f32]) {
        let each = (self.pixels() * self.channels).max(1);
        for (image, out) in images.chunks_exact(self.image().max(1)).zip(out.chunks_exact_mut(each)) {
            wide(Depthwise { geometry: self, image, weights, out });
        }
    }
}

struct Depthwise<'a> {
    geometry: Geometry,
    image: &'a [f32],
    weights: &'a [f32],
    out: &'a mut [f32],
}

impl NullaryFnOnce for Depthwise<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { geometry, image, weights, out } = self;
        let (c, kernel, width) = (geometry.channels, geometry.kernel, geometry.width);
        for (row, out) in out.chunks_exact_mut(geometry.out_width() * c).enumerate() {
            for (column, out) in out.chunks_exact_mut(c).enumerate() {
                let (top, left) = (row * geometry.stride, column * geometry.stride);
                // The taps that are inside of the image.
                let rows = inside(top, geometry.before, kernel, geometry.height);
                let columns = inside(left, geometry.before, kernel, width);
                for (block, out) in out.chunks_mut(LANES).enumerate() {
                    let first = block * LANES;
                    let mut sums = [0.0_f32; LANES];
                    for tap in rows.clone() {
                        let line =
                            (top + tap - geometry.before) * width + left + columns.start - geometry.before;
                        let taps = tap * kernel + columns.start;
                        let pixels = image[line * c..].chunks_exact(c);
                        let weights = weights[taps * c..].chunks_exact(c);
                        for (pixel, weights) in pixels.zip(weights).take(columns.len()) {
                            let (pixel, weights) = (&pixel[first..], &weights[first..]);
                            match (pixel.first_chunk::<LANES>(), weights.first_chunk::<LANES>()) {
                                (Some(pixel), Some(weights)) => {
                                    for i in 0..LANES {
                                        sums[i] += pixel[i] * weights[i];
                                    }
                                }
                                _ => {
                                    for ((sum, x), w) in sums.iter_mut().zip(pixel).zip(weights) {
                                        *sum += x * w;
                                    }
                                }
                            }
                        }
                    }
                    out.copy_from_slice(&sums[..out.len()]);
                }
            }
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
    use super::super::layer::{Activation, Layer, LayerKind, Padding};
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
            assert_eq!(geometry.depthwise(&x, &weights), naive(geometry, &x, &weights), "{side} {channels}");
        }
    }
}
