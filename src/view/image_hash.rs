//! The perceptual hash of an image: the signs of its lowest frequencies. Images that were scaled, compressed or slightly
//! recoloured have nearly the same one; cropped, turned or inverted ones have not.
//!
//! As in "pHash" (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1), in the
//! form that the Python package ImageHash gives it, with 16 × 16 frequencies: the image in grey, stretched to 64 × 64; its
//! discrete cosine transform (type II); of the lowest 16 frequencies in each direction, whether they are above the median.

use std::sync::LazyLock;

/// Frequencies in each direction.
const FREQUENCIES: usize = 16;
/// Width and height of the image that is hashed.
pub const HASHED: usize = 4 * FREQUENCIES;
/// Bytes of a hash.
pub const HASH_BYTES: usize = FREQUENCIES * FREQUENCIES / 8;

/// The perceptual hash of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageHash(pub [u8; HASH_BYTES]);

/// By frequency, the cosines of the pixels of a line.
static COSINES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let angle = |frequency: usize, at: usize| {
        std::f64::consts::PI * frequency as f64 * (2 * at + 1) as f64 / (2 * HASHED) as f64
    };
    (0..FREQUENCIES).flat_map(|f| (0..HASHED).map(move |at| angle(f, at).cos())).collect()
});

impl ImageHash {
    /// The hash of an image in levels of grey, [`HASHED`] × [`HASHED`], row by row. Pixels that are missing are black.
    pub fn of(grey: &[u8]) -> Self {
        // Along the rows, then along the columns of what that gives.
        let rows: Vec<f64> = grey
            .chunks(HASHED)
            .take(HASHED)
            .flat_map(|row| {
                COSINES.chunks_exact(HASHED).map(|cosines| {
                    row.iter().zip(cosines).map(|(pixel, cosine)| f64::from(*pixel) * cosine).sum::<f64>()
                })
            })
            .collect();
        let mut levels = [0.0; FREQUENCIES * FREQUENCIES];
        for (levels, cosines) in levels.chunks_exact_mut(FREQUENCIES).zip(COSINES.chunks_exact(HASHED)) {
            for (row, cosine) in rows.chunks_exact(FREQUENCIES).zip(cosines) {
                levels.iter_mut().zip(row).for_each(|(level, value)| *level += value * cosine);
            }
        }
        let mut sorted = levels;
        sorted.sort_unstable_by(f64::total_cmp);
        let median = f64::midpoint(sorted[sorted.len() / 2 - 1], sorted[sorted.len() / 2]);
        let mut hash = [0; HASH_BYTES];
        for (byte, levels) in hash.iter_mut().zip(levels.chunks_exact(8)) {
            *byte = levels.iter().fold(0, |byte, level| byte << 1 | u8::from(*level > median));
        }
        Self(hash)
    }

    /// How alike two images are: 1 if all bits are the same, 0 if half of them are, as by chance, −1 if none is. It is the cosine of
    /// the bits as −1 and 1.
    pub fn cosine(&self, other: &Self) -> f32 {
        let differ: u32 = self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum();
        1.0 - differ as f32 / (4 * HASH_BYTES) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_and_its_negative_differ_in_every_bit_but_those_at_the_median() {
        let image: Vec<u8> =
            (0..HASHED * HASHED).map(|i| ((i % HASHED) * 3 + (i / HASHED) * (i % 7) / 3) as u8).collect();
        let darker: Vec<u8> = image.iter().map(|level| level / 2).collect();
        let negative: Vec<u8> = image.iter().map(|level| 255 - level).collect();
        let [image, darker, negative] = [image, darker, negative].map(|grey| ImageHash::of(&grey));
        assert_eq!(image.cosine(&image), 1.0);
        assert!(image.cosine(&darker) > 0.9, "{}", image.cosine(&darker));
        assert!(image.cosine(&negative) < -0.9, "{}", image.cosine(&negative));
        assert_eq!(ImageHash::of(&[]).0.len(), HASH_BYTES, "what is missing is black");
    }
}
