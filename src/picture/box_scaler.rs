//! Scales an image down while its rows are read: each pixel of the result is the mean of the pixels below it.

use super::spec::{Fit, PictureSpec};
use image::{Rgb, RgbImage};

/// Width and height of an image of this size that is fitted into `side × side`.
pub fn fitted((width, height): (u32, u32), side: usize) -> (u32, u32) {
    let longest = width.max(height).max(1);
    let scaled = |n: u32| ((n as usize * side).div_ceil(longest as usize)).clamp(1, side) as u32;
    (scaled(width), scaled(height))
}

/// The size to which an image of this size, which is large, is scaled while it is read for pictures of `spec`.
pub fn reduced(size: (u32, u32), spec: PictureSpec) -> (u32, u32) {
    /// Twice the side that a perceptual hash needs, and more than a network's.
    const STRETCHED: u32 = 512;
    match spec.fit {
        Fit::Letterbox => fitted(size, spec.side),
        Fit::Stretch => (size.0.clamp(1, STRETCHED), size.1.clamp(1, STRETCHED)),
    }
}

/// A pixel with this opacity on white.
pub fn over_white(rgb: [u8; 3], opacity: u8) -> [u8; 3] {
    over(255, rgb, opacity)
}

/// A pixel with this opacity on a level of grey.
pub fn over(level: u8, rgb: [u8; 3], opacity: u8) -> [u8; 3] {
    let (a, level) = (u32::from(opacity), u32::from(level));
    rgb.map(|c| ((u32::from(c) * a + level * (255 - a) + 127) / 255) as u8)
}

/// Scales rows that come from top to bottom.
pub struct BoxScaler {
    size: (usize, usize),
    scaled: (usize, usize),
    /// The sum of red, green and blue, and the number of pixels, for each pixel of the result.
    sums: Vec<[u64; 4]>,
}

impl BoxScaler {
    /// From an image of `size` to one of `scaled`, both in pixels and `scaled` at most `size`.
    pub fn new(size: (u32, u32), scaled: (u32, u32)) -> Self {
        let [size, scaled] = [size, scaled].map(|(width, height)| (width as usize, height as usize));
        Self { size, scaled, sums: vec![[0; 4]; scaled.0 * scaled.1] }
    }

    /// Adds row `y`.
    pub fn add_row(&mut self, y: usize, row: impl Iterator<Item = [u8; 3]>) {
        let target = y * self.scaled.1 / self.size.1.max(1);
        let start = target * self.scaled.0;
        let Some(sums) = self.sums.get_mut(start..start + self.scaled.0) else { return };
        for (x, [r, g, b]) in row.take(self.size.0).enumerate() {
            if let Some([red, green, blue, n]) = sums.get_mut(x * self.scaled.0 / self.size.0.max(1)) {
                *red += u64::from(r);
                *green += u64::from(g);
                *blue += u64::from(b);
                *n += 1;
            }
        }
    }

    /// The scaled image. Rows that never came are black.
    pub fn finish(self) -> RgbImage {
        let (width, height) = self.scaled;
        RgbImage::from_fn(width as u32, height as u32, |x, y| {
            let [sums @ .., n] = self.sums.get(y as usize * width + x as usize).copied().unwrap_or_default();
            Rgb(sums.map(|sum| ((sum + n / 2) / n.max(1)) as u8))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_the_mean_of_those_below_it() {
        let mut scaler = BoxScaler::new((4, 3), (2, 1));
        for y in 0..3 {
            scaler.add_row(y, [[0, 10, 0], [30, 10, 1], [255; 3], [255; 3]].into_iter());
        }
        assert_eq!(scaler.finish().into_raw(), [15, 10, 1, 255, 255, 255]);
        assert_eq!(BoxScaler::new((9, 9), (1, 1)).finish().into_raw(), [0; 3]);
    }
}
