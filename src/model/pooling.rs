//! Average pooling of one image, `[side][side][c]`.

/// Averages over `parts × parts` equal parts.
pub(super) fn pool(image: &[f32], side: usize, c: usize, parts: usize, out: &mut [f32]) {
    let part = side / parts.max(1);
    let weight = 1.0 / (part * part).max(1) as f32;
    for (i, pixel) in image.chunks_exact(c.max(1)).enumerate() {
        let (row, column) = (i / side / part.max(1), i % side / part.max(1));
        let first = (row * parts + column) * c;
        for (to, from) in out[first..first + c].iter_mut().zip(pixel) {
            *to += from * weight;
        }
    }
}

/// Averages over `parts × parts` parts of `⌈side / parts⌉` pixels a side, every `⌊side / parts⌋` pixels: they overlap if the side is
/// no multiple.
pub(super) fn pool_grid(image: &[f32], side: usize, c: usize, parts: usize, out: &mut [f32]) {
    let (part, step) = (side.div_ceil(parts.max(1)), side / parts.max(1));
    let weight = 1.0 / (part * part).max(1) as f32;
    for (i, out) in out.chunks_exact_mut(c.max(1)).enumerate() {
        let (top, left) = (i / parts * step, i % parts * step);
        for y in top..(top + part).min(side) {
            for x in left..(left + part).min(side) {
                let pixel = &image[(y * side + x) * c..][..c];
                out.iter_mut().zip(pixel).for_each(|(to, from)| *to += from * weight);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_odd_side_overlap() {
        let image: Vec<f32> = (0..9).map(|i| i as f32).collect();
        let mut out = [0.0; 4];
        pool_grid(&image, 3, 1, 2, &mut out);
        assert_eq!(out, [2.0, 3.0, 5.0, 6.0]);
        let (mut equal, mut grid) = ([0.0; 8], [0.0; 8]);
        let image: Vec<f32> = (0..32).map(|i| i as f32).collect();
        pool(&image, 4, 2, 2, &mut equal);
        pool_grid(&image, 4, 2, 2, &mut grid);
        assert_eq!(equal, grid);
    }
}
