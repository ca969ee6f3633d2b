//! Fills the network's input from a picture: `side × side × channels` values of the whole picture or of a random
//! view of it.
//!
//! The augmentation depends on the kind. A file is cropped to a contiguous 50 to 100 % of it, which resembles a
//! release with something appended or removed. An image is slightly shifted, scaled and rotated, but never mirrored,
//! since a mirrored digit is another digit.

use super::byte_planes::{BytePlanes, PLANES};
use super::cells::{CELLS, LAYOUT_PLANES};
use super::code_pairs::is_text_pair;
use super::encoded::Encoded;
use super::image_planes::ImagePlanes;
use super::segments::SEGMENTS;
use super::spec::{IMAGE_CHANNELS as CHANNELS, PictureKind, PictureSpec, Planes, Range};
use rand::Rng;

/// The range of the share of a file that a random crop keeps.
const KEPT: std::ops::RangeInclusive<f32> = 0.5..=1.0;
/// Levels of byte pairs are mostly small: this scales them to the spread of the layout planes.
const GAIN: f32 = 3.0;
/// The same for text grams, of which most files have few.
const TEXT_GAIN: f32 = 8.0;
/// The largest shift of an image, as a share of its side.
const SHIFT: f32 = 0.08;
/// The largest change of an image's scale.
const SCALE: f32 = 0.12;
/// The largest rotation of an image, in radians.
const TURN: f32 = 0.17;

/// Which part of a picture to show the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View {
    /// All of it, unchanged.
    Whole,
    /// A part of a file; both values are shares of the file, 0 to 1.
    Crop {
        /// Where the part starts.
        start: f32,
        /// How long it is.
        length: f32,
    },
    /// A shifted, scaled and rotated image.
    Moved {
        /// Shift to the right, as a share of the side.
        dx: f32,
        /// Shift downwards, as a share of the side.
        dy: f32,
        /// Scale; 1 is the original size.
        scale: f32,
        /// Anticlockwise rotation in radians.
        turn: f32,
    },
}

impl View {
    /// A random view for a picture of this kind.
    pub(crate) fn random(kind: PictureKind, rng: &mut impl Rng) -> Self {
        match kind {
            PictureKind::Bytes => {
                let length = rng.random_range(KEPT);
                Self::Crop { start: rng.random_range(0.0..=1.0 - length), length }
            }
            PictureKind::Image => Self::Moved {
                dx: rng.random_range(-SHIFT..=SHIFT),
                dy: rng.random_range(-SHIFT..=SHIFT),
                scale: 1.0 + rng.random_range(-SCALE..=SCALE),
                turn: rng.random_range(-TURN..=TURN),
            },
        }
    }
}

/// Writes `view` of `picture` to `out`, `[side][side][channels]`. The values are about -1 to 1, or 0 to 1 if
/// `spec.range` says so. `out` has `spec.len()` values.
pub fn fill(picture: &Encoded, spec: PictureSpec, view: View, out: &mut [f32]) {
    debug_assert_eq!(out.len(), spec.len());
    match (picture, view) {
        (Encoded::Bytes(planes), View::Crop { start, length }) => {
            fill_bytes(planes, spec.planes, start, length, out);
        }
        (Encoded::Bytes(planes), _) => fill_bytes(planes, spec.planes, 0.0, 1.0, out),
        (Encoded::Image(planes), View::Moved { dx, dy, scale, turn }) => {
            fill_moved(planes, [dx, dy], scale, turn, out);
        }
        (Encoded::Image(planes), _) => {
            for (out, byte) in out.iter_mut().zip(&planes.rgb) {
                *out = from_byte(*byte);
            }
        }
    }
    match spec.range {
        Range::Signed => {}
        Range::Unit => out.iter_mut().for_each(|out| *out = (*out + 1.0) / 2.0),
        Range::Lite => out.iter_mut().for_each(|out| *out = ((*out + 1.0) * 127.5 - 127.0) / 128.0),
    }
}

/// Scales 0 to 255 to -1 to 1.
fn from_byte(byte: u8) -> f32 {
    f32::from(byte) / 127.5 - 1.0
}

fn fill_bytes(planes: &BytePlanes, which: Planes, start: f32, length: f32, out: &mut [f32]) {
    let end = (start + length).min(1.0);
    let weights: [f32; SEGMENTS] = std::array::from_fn(|i| {
        let from = i as f32 / SEGMENTS as f32;
        let to = (i + 1) as f32 / SEGMENTS as f32;
        (end.min(to) - start.max(from)).max(0.0)
    });
    let (mut pair_levels, mut gram_levels) = ([0.0; CELLS], [0.0; CELLS]);
    planes.pairs.mix(&weights, &mut pair_levels);
    if which == Planes::Code {
        return fill_code(&pair_levels, out);
    }
    planes.grams.mix(&weights, &mut gram_levels);
    let first = start * CELLS as f32;
    let cells = out.as_chunks_mut::<PLANES>().0;
    for (i, (cell, levels)) in cells.iter_mut().zip(pair_levels.iter().zip(&gram_levels)).enumerate() {
        let [pairs, grams, layout @ ..] = cell;
        *pairs = levels.0 * GAIN;
        *grams = levels.1 * TEXT_GAIN;
        let from = (first + i as f32 * length) as usize;
        let values: [u8; LAYOUT_PLANES] = planes.cell(from.min(CELLS - 1));
        for (out, byte) in layout.iter_mut().zip(values) {
            *out = from_byte(byte);
        }
    }
}

/// The byte pairs without those of text and zeros, twice: for the convolutions, and in place of the text grams for the
/// layer that leads straight to the embedding.
fn fill_code(pairs: &[f32; CELLS], out: &mut [f32]) {
    for (i, (cell, level)) in out.as_chunks_mut::<PLANES>().0.iter_mut().zip(pairs).enumerate() {
        let level = if is_text_pair(i) { 0.0 } else { *level * GAIN };
        *cell = [level, level, 0.0, 0.0, 0.0, 0.0];
    }
}

/// Samples the image bilinearly; outside the image, the nearest pixel of its edge.
fn fill_moved(planes: &ImagePlanes, shift: [f32; 2], scale: f32, turn: f32, out: &mut [f32]) {
    let side = planes.side;
    let last = (side - 1) as f32;
    let centre = last / 2.0;
    let (sin, cos) = turn.sin_cos();
    let pixels = planes.rgb.as_chunks::<CHANNELS>().0;
    for (i, out) in out.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
        let x = (i % side) as f32 - centre - shift[0] * side as f32;
        let y = (i / side) as f32 - centre - shift[1] * side as f32;
        let sx = ((x * cos - y * sin) / scale + centre).clamp(0.0, last);
        let sy = ((x * sin + y * cos) / scale + centre).clamp(0.0, last);
        let (x0, y0) = (sx as usize, sy as usize);
        let (x1, y1) = ((x0 + 1).min(side - 1), (y0 + 1).min(side - 1));
        let (fx, fy) = (sx - x0 as f32, sy - y0 as f32);
        for c in 0..CHANNELS {
            let at = |x: usize, y: usize| f32::from(pixels[y * side + x][c]);
            let top = at(x0, y0) * (1.0 - fx) + at(x1, y0) * fx;
            let bottom = at(x0, y1) * (1.0 - fx) + at(x1, y1) * fx;
            out[c] = (top * (1.0 - fy) + bottom * fy) / 127.5 - 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn code_is_the_same_with_its_text_overwritten() {
        let mut bytes: Vec<u8> =
            (0..60_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
        for start in (0..60_000).step_by(3000) {
            bytes[start..start + 2000]
                .copy_from_slice(&b"a long text of code, and zeros. ".repeat(63)[..2000]);
            bytes[start] = 0;
            bytes[start + 1999] = 0;
        }
        let zeroed: Vec<u8> = bytes.iter().map(|b| if *b < 0x80 { 0 } else { *b }).collect();
        let filled = |bytes: &[u8], spec: PictureSpec| {
            let mut out = vec![0.0; spec.len()];
            fill(&Encoded::Bytes(BytePlanes::of(bytes)), spec, View::Whole, &mut out);
            out
        };
        let code = filled(&bytes, PictureSpec::CODE);
        assert_eq!(code, filled(&zeroed, PictureSpec::CODE));
        assert!(code.iter().filter(|value| **value > 0.0).count() > 100);
        assert_ne!(filled(&bytes, PictureSpec::BYTES), filled(&zeroed, PictureSpec::BYTES));
    }

    #[test]
    fn a_crop_shows_the_cells_of_its_part() {
        let mut bytes = vec![0_u8; 1 << 16];
        bytes[1 << 15..].fill(b'A');
        let picture = Encoded::Bytes(BytePlanes::of(&bytes));
        let spec = PictureSpec::BYTES;
        let mut out = vec![0.0; spec.len()];
        let half = View::Crop { start: 0.5, length: 0.5 };
        fill(&picture, spec, half, &mut out);
        let zeros = |out: &[f32]| out.chunks(PLANES).map(|c| c[3]).sum::<f32>();
        assert_eq!(zeros(&out), -(CELLS as f32), "no zeros in the second half");
        fill(&picture, spec, View::Whole, &mut out);
        assert_eq!(zeros(&out), 0.0, "half of the cells are zeros");
    }

    #[test]
    fn an_image_that_is_not_moved_is_unchanged() {
        let rgb = (0..32 * 32 * 3).map(|i| (i % 256) as u8).collect();
        let picture = Encoded::Image(ImagePlanes { side: 32, rgb, views: None });
        let spec = PictureSpec::image(32);
        let (mut still, mut moved) = (vec![0.0; spec.len()], vec![0.0; spec.len()]);
        fill(&picture, spec, View::Whole, &mut still);
        let view = View::Moved { dx: 0.0, dy: 0.0, scale: 1.0, turn: 0.0 };
        fill(&picture, spec, view, &mut moved);
        for (a, b) in still.iter().zip(moved) {
            assert!((a - b).abs() < 1e-4);
        }
    }

    #[test]
    fn values_have_the_range_of_the_specification() {
        let picture =
            Encoded::Image(ImagePlanes { side: 8, rgb: [0, 51, 255].repeat(64).into(), views: None });
        let spec = PictureSpec { range: Range::Unit, ..PictureSpec::image(8) };
        let mut out = vec![9.0; spec.len()];
        fill(&picture, spec, View::Whole, &mut out);
        for (got, want) in out.iter().zip([0.0_f32, 0.2, 1.0]) {
            assert!((got - want).abs() < 1e-6);
        }
    }

    #[test]
    fn random_crops_stay_inside_the_file() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for _ in 0..1000 {
            let View::Crop { start, length } = View::random(PictureKind::Bytes, &mut rng) else {
                panic!("a file is cropped");
            };
            assert!(start >= 0.0 && length >= 0.5 && start + length <= 1.000_001);
        }
    }
}
