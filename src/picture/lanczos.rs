//! Scales an image in levels of grey with Lanczos' filter (a = 3), row by row and then column by column, in whole numbers as Pillow
//! does: perceptual hashes depend on single levels, and so are those of other programs.

use std::f64::consts::PI;

/// Bits behind the point of a weight.
const BITS: u32 = 22;

/// The weights of the pixels that one pixel of the result is made of.
struct Weights {
    first: usize,
    weights: Vec<i64>,
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// For each of `to` pixels, the weights of those of a line of `from`.
fn weights(from: usize, to: usize) -> Vec<Weights> {
    let scale = from as f64 / to.max(1) as f64;
    let stretch = scale.max(1.0);
    let reach = 3.0 * stretch;
    let of = |at: usize| {
        let centre = (at as f64 + 0.5) * scale;
        let first = (centre - reach + 0.5).max(0.0) as usize;
        let end = ((centre + reach + 0.5) as usize).min(from);
        let lanczos = |pixel: usize| {
            let x = (pixel as f64 - centre + 0.5) / stretch;
            if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
        };
        let values: Vec<f64> = (first..end).map(lanczos).collect();
        let sum: f64 = values.iter().sum();
        let whole = |value: f64| (value / sum * f64::from(1 << BITS)).round() as i64;
        Weights { first, weights: values.into_iter().map(whole).collect() }
    };
    (0..to).map(of).collect()
}

/// Scales `grey`, of `size` (width and height), to `side × side`.
pub(super) fn lanczos(grey: &[u8], size: (usize, usize), side: usize) -> Vec<u8> {
    let (width, height) = size;
    let level = |sum: i64| ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8;
    let mut rows = grey.to_vec();
    if width != side {
        let columns = weights(width, side);
        rows = grey
            .chunks_exact(width.max(1))
            .flat_map(|row| {
                columns.iter().map(|Weights { first, weights }| {
                    let pixels = row[*first..].iter().zip(weights);
                    level(pixels.map(|(pixel, weight)| i64::from(*pixel) * weight).sum())
                })
            })
            .collect();
    }
    if height == side {
        return rows;
    }
    let mut out = Vec::with_capacity(side * side);
    for Weights { first, weights } in weights(height, side) {
        let mut sums = vec![0_i64; side];
        for (row, weight) in rows.chunks_exact(side.max(1)).skip(first).zip(weights) {
            sums.iter_mut().zip(row).for_each(|(sum, pixel)| *sum += i64::from(*pixel) * weight);
        }
        out.extend(sums.into_iter().map(level));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_image_stays_even_at_any_size() {
        for size in [(1, 1), (7, 300), (64, 64), (500, 64), (3, 5)] {
            let out = lanczos(&vec![77; size.0 * size.1], size, 64);
            assert!(out.len() == 64 * 64 && out.iter().all(|level| *level == 77), "{size:?}");
        }
    }
}
