//! Which pictures fit a set of files: the kind that most of them are, and for images the size.

use super::{PictureKind, PictureSpec, Range, image_planes};
use crate::sample::archive::Limits;
use crate::sample::{FileKind, Found, OpenSample, Passwords};
use rayon::prelude::*;
use std::io::Read as _;

/// Files looked at, at most, evenly spread.
const LOOKED_AT: usize = 200;
/// Bytes of an image in which its size must stand.
const HEAD: u64 = 64 << 10;
/// Images whose longer side is at most this are shown to the network at this size, others at twice.
const SMALL: usize = 32;

/// How to make pictures of `found`. Files that cannot be read have no say.
pub fn choose(found: &[Found]) -> PictureSpec {
    match median_side(found) {
        None => PictureSpec::BYTES,
        Some(median) => PictureSpec::image(if median <= SMALL { SMALL } else { 2 * SMALL }),
    }
}

/// Likewise, but images smaller than [`SMALL`] are shown at their own size, rounded up to 8 or 16, and
/// bytes become 0 to 1: as the reference experiments were made.
pub fn choose_native(found: &[Found]) -> PictureSpec {
    match median_side(found) {
        Some(median) if median <= SMALL / 2 => {
            PictureSpec { range: Range::Unit, ..PictureSpec::image(if median <= 8 { 8 } else { 16 }) }
        }
        Some(_) => PictureSpec { range: Range::Unit, ..choose(found) },
        None => choose(found),
    }
}

/// The median of the longer sides, if most are images.
fn median_side(found: &[Found]) -> Option<usize> {
    let step = found.len().div_ceil(LOOKED_AT).max(1);
    // Of each file that can be read: `Some` of its longer side if it is an image.
    let looked: Vec<Option<u32>> = found
        .par_iter()
        .step_by(step)
        .filter_map(|file| {
            let open = OpenSample::open(&file.path).ok()?;
            if open.container.is_some() {
                // Most members of an archive are alike: the first that is not a document says what they are.
                return member(&open);
            }
            if PictureKind::for_file(open.kind) == PictureKind::Bytes {
                return Some(None);
            }
            let mut head = Vec::new();
            std::fs::File::open(&file.path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
            let (width, height) = image_planes::dimensions(&head).unwrap_or((0, 0));
            Some(Some(width.max(height)))
        })
        .collect();
    let mut sides: Vec<u32> = looked.iter().flatten().copied().collect();
    if sides.len() * 2 <= looked.len() {
        return None;
    }
    sides.sort_unstable();
    sides.get(sides.len() / 2).map(|side| *side as usize)
}

/// The longer side of the first file of an archive, if that can be read.
fn member(open: &OpenSample) -> Option<Option<u32>> {
    let mut first = None;
    let few = Limits { members: 1, ..Limits::default() };
    // That there is more than one is no failure here.
    let _ = open.unpack(few, &Passwords::default(), &mut |_, found| {
        first = first.or_else(|| {
            let bytes = found.ok()?;
            let image = FileKind::identify(&bytes).0.is_image();
            Some(
                image
                    .then(|| image_planes::dimensions(&bytes).map_or(0, |(width, height)| width.max(height))),
            )
        });
    });
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    fn found_below(folder: &std::path::Path, names: &[&str]) -> Vec<Found> {
        names.iter().map(|name| Found { path: folder.join(name), label: None }).collect()
    }

    #[test]
    fn the_majority_decides() {
        let folder = tempfile::tempdir().unwrap();
        let mut found = Vec::new();
        let mut add = |name: &str, side: u32| {
            let path = folder.path().join(name);
            if side == 0 {
                std::fs::write(&path, "not an image").unwrap();
            } else {
                RgbImage::new(side, 4).save(&path).unwrap();
            }
            found.push(Found { path, label: None });
            choose(&found)
        };
        assert_eq!(add("a", 0), PictureSpec::BYTES);
        assert_eq!(add("b.png", 8), PictureSpec::BYTES);
        assert_eq!(add("c.png", 8), PictureSpec::image(32));
        assert_eq!(add("d.png", 400).side, 32);
        assert_eq!(add("e.png", 400).side, 64);
        let small: Vec<Found> = found_below(folder.path(), &["b.png", "c.png"]);
        assert_eq!((choose(&small).side, choose_native(&small).side), (32, 8));
        let large = found_below(folder.path(), &["d.png"]);
        assert_eq!(choose_native(&large), PictureSpec { range: Range::Unit, ..choose(&large) });
        assert_eq!(choose(&[]), PictureSpec::BYTES);
    }
}
