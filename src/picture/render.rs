//! Renders pictures for people: RGB pixels from the planes that the network reads.

use super::cells::CELLS;
use super::encoded::Encoded;
use super::segments::SEGMENTS;
use image::{RgbImage, imageops};

/// A small square RGB image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Width and height in pixels.
    pub side: usize,
    /// `side · side · 3` bytes, row by row.
    pub rgb: Vec<u8>,
}

/// The side of a thumbnail in pixels.
pub const THUMBNAIL: usize = 32;

impl Rendered {
    /// Renders the layout planes in reading order, row by row: text is blue, code and data are green to orange by
    /// their byte values, random-looking or packed data is red, zeros are black. An image is shown as it is.
    pub fn layout(picture: &Encoded) -> Self {
        match picture {
            Encoded::Image(planes) => Self { side: planes.side, rgb: planes.rgb.to_vec() },
            Encoded::Bytes(planes) => {
                Self { side: 64, rgb: (0..CELLS).flat_map(|cell| colour(planes.cell(cell))).collect() }
            }
        }
    }

    /// Renders how often each pair of bytes occurs: the first byte downwards, the second to the right, both 0 to 255;
    /// brighter is more often, on a logarithmic scale. `None` for an image.
    pub fn byte_pairs(picture: &Encoded) -> Option<Self> {
        let Encoded::Bytes(planes) = picture else {
            return None;
        };
        let mut levels = vec![0.0; CELLS];
        planes.pairs.mix(&[1.0; SEGMENTS], &mut levels);
        Some(Self { side: 64, rgb: levels.into_iter().flat_map(heat).collect() })
    }
}

/// Renders the layout planes, or the image, at [`THUMBNAIL`] pixels.
pub fn thumbnail(picture: &Encoded) -> Rendered {
    let whole = Rendered::layout(picture);
    let side = whole.side as u32;
    let Some(image) = RgbImage::from_raw(side, side, whole.rgb) else {
        return Rendered { side: 0, rgb: Vec::new() };
    };
    let small = THUMBNAIL as u32;
    Rendered {
        side: THUMBNAIL,
        rgb: imageops::resize(&image, small, small, imageops::FilterType::Triangle).into_raw(),
    }
}

fn colour([mean, zeros, printable, entropy]: [u8; 4]) -> [u8; 3] {
    let [mean, zeros, printable, entropy] = [mean, zeros, printable, entropy].map(|v| f32::from(v) / 255.0);
    // Packed data has nearly the highest entropy: the last fifth of the range turns red.
    let random = ((entropy - 0.8) / 0.2).clamp(0.0, 1.0).powi(2);
    let text = ((printable - 0.35) / 0.65).clamp(0.0, 1.0);
    let code = [0.35 + 0.55 * mean, 0.62, 0.35 * (1.0 - mean)];
    let mix = |a: [f32; 3], b: [f32; 3], t: f32| std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t);
    let shown = mix(mix(code, [0.25, 0.55, 0.95], text), [0.87, 0.25, 0.22], random);
    let light = (1.0 - zeros).powf(0.6);
    shown.map(|c: f32| (c * light * 255.0).round().clamp(0.0, 255.0) as u8)
}

/// The colour of a level, from black through violet and orange to white in even steps of lightness (after
/// matplotlib's inferno).
fn heat(level: f32) -> [u8; 3] {
    const STOPS: [[f32; 3]; 5] = [
        [0.0, 0.0, 4.0],
        [87.0, 16.0, 110.0],
        [188.0, 55.0, 84.0],
        [249.0, 142.0, 9.0],
        [252.0, 255.0, 164.0],
    ];
    let at = level.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let i = (at as usize).min(STOPS.len() - 2);
    let t = at - i as f32;
    std::array::from_fn(|c| (STOPS[i][c] + (STOPS[i + 1][c] - STOPS[i][c]) * t).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::byte_planes::BytePlanes;

    #[test]
    fn zeros_are_black_text_is_blue_and_noise_is_red() {
        let [r, g, b] = colour([0, 255, 0, 0]);
        assert_eq!([r, g, b], [0, 0, 0]);
        let [r, _, b] = colour([100, 0, 255, 150]);
        assert!(b > 200 && r < 100);
        let [r, g, b] = colour([127, 1, 95, 255]);
        assert!(r > 200 && g < 100 && b < 100);
    }

    #[test]
    fn images_have_their_documented_sizes() {
        let picture = Encoded::Bytes(BytePlanes::of(b"MZ and so on"));
        assert_eq!(Rendered::layout(&picture).rgb.len(), 64 * 64 * 3);
        assert_eq!(Rendered::byte_pairs(&picture).unwrap().rgb.len(), 64 * 64 * 3);
        assert_eq!(thumbnail(&picture).rgb.len(), THUMBNAIL * THUMBNAIL * 3);
    }
}
