//! Chooses the picture specification for a set of files: the kind that most of them are, and for images the size.

use super::image_decode;
use super::spec::{PictureKind, PictureSpec, Range};
use crate::sample::FileKind;

/// If the longer side of the median image is at most this, images keep this size; otherwise they get twice that.
const SMALL: usize = 32;

/// The longer side of an image file in pixels, 0 if its size cannot be read; `None` for other files.
pub fn longer_side(kind: FileKind, head: &[u8]) -> Option<u32> {
    (PictureKind::for_file(kind) == PictureKind::Image)
        .then(|| image_decode::dimensions(head).map_or(0, |(width, height)| width.max(height)))
}

/// The specification for files with these [`longer_side`]s.
pub fn choose(sides: &[Option<u32>]) -> PictureSpec {
    match median_side(sides) {
        None => PictureSpec::BYTES,
        Some(median) => PictureSpec::image(if median <= SMALL { SMALL } else { 2 * SMALL }),
    }
}

/// The specification of the reference experiments: as [`choose`], but images of at most 16 pixels keep their own
/// size, rounded up to 8 or 16, and values are 0 to 1.
pub fn choose_native(sides: &[Option<u32>]) -> PictureSpec {
    match median_side(sides) {
        Some(median) if median <= SMALL / 2 => {
            PictureSpec { range: Range::Unit, ..PictureSpec::image(if median <= 8 { 8 } else { 16 }) }
        }
        Some(_) => PictureSpec { range: Range::Unit, ..choose(sides) },
        None => choose(sides),
    }
}

/// The median of the longer sides, if more than half of the files are images.
fn median_side(sides: &[Option<u32>]) -> Option<usize> {
    let mut images: Vec<u32> = sides.iter().flatten().copied().collect();
    if images.len() * 2 <= sides.len() {
        return None;
    }
    images.sort_unstable();
    images.get(images.len() / 2).map(|side| *side as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage};

    #[test]
    fn the_majority_decides() {
        let mut sides = Vec::new();
        let mut add = |side: u32| {
            let mut file = std::io::Cursor::new(b"not an image".to_vec());
            if side > 0 {
                file = std::io::Cursor::default();
                RgbImage::new(side, 4).write_to(&mut file, ImageFormat::Png).unwrap();
            }
            let head = file.into_inner();
            sides.push(longer_side(FileKind::identify(&head).0, &head));
            choose(&sides)
        };
        assert_eq!(add(0), PictureSpec::BYTES);
        assert_eq!(add(8), PictureSpec::BYTES);
        assert_eq!(add(8), PictureSpec::image(32));
        assert_eq!(add(400).side, 32);
        assert_eq!(add(400).side, 64);
        assert_eq!(sides, [None, Some(8), Some(8), Some(400), Some(400)]);
        let small = [Some(8), Some(8)];
        assert_eq!((choose(&small).side, choose_native(&small).side), (32, 8));
        let large = [Some(400)];
        assert_eq!(choose_native(&large), PictureSpec { range: Range::Unit, ..choose(&large) });
        assert_eq!(choose(&[]), PictureSpec::BYTES);
    }
}
