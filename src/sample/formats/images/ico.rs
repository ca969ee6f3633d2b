//! ICO, the icons of Windows: the directory of images, each a PNG or a bitmap without its file header.

use super::{bmp, png};
use crate::sample::bytes::{Bytes, Endian::Little};

/// Images of an icon that are looked at.
const MAX_IMAGES: u16 = 256;

/// One image of an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icon<'a> {
    /// Its bytes in the file.
    pub bytes: &'a [u8],
    /// Width and height in pixels, from its own header.
    pub size: (u32, u32),
    /// Whether it is a PNG; else a bitmap without its file header.
    pub is_png: bool,
}

/// Whether the directory is valid and the first image begins as one.
pub fn is_ico(bytes: Bytes<'_>) -> bool {
    let Some(count) = count(bytes, 1) else { return false };
    let entries_are_valid = (0..count).all(|i| entry(bytes, i, count).is_some());
    let first = entry(bytes, 0, count).is_some_and(|(offset, _, _)| {
        // An image beyond the first bytes of a large file is not looked at.
        offset >= bytes.size() || image_at(bytes, offset).is_some()
    });
    entries_are_valid && first
}

/// Whether the file is a cursor of Windows, which has the same form.
pub fn is_cursor(bytes: Bytes<'_>) -> bool {
    let image = |(offset, _)| image_at(bytes, offset).is_some();
    count(bytes, 2).is_some_and(|count| place(bytes, 0, count).is_some_and(image))
}

/// The number of images in the directory of a file of type 1, icon, or 2, cursor.
fn count(bytes: Bytes<'_>, kind: u16) -> Option<u16> {
    let numbers = (bytes.u16(0, Little)?, bytes.u16(2, Little)?);
    bytes.u16(4, Little).filter(|count| numbers == (0, kind) && (1..=MAX_IMAGES).contains(count))
}

/// Offset and size of image `i`, if they are plausible.
fn place(bytes: Bytes<'_>, i: u16, count: u16) -> Option<(u64, u64)> {
    let at = 6 + 16 * u64::from(i);
    let (size, offset) = (u64::from(bytes.u32(at + 8, Little)?), u64::from(bytes.u32(at + 12, Little)?));
    (size >= 40 && offset >= 6 + 16 * u64::from(count)).then_some((offset, size))
}

/// Offset, size and bits a pixel of image `i`, if its entry is valid.
fn entry(bytes: Bytes<'_>, i: u16, count: u16) -> Option<(u64, u64, u16)> {
    let at = 6 + 16 * u64::from(i);
    let [reserved] = bytes.array(at + 3)?;
    let (planes, bits) = (bytes.u16(at + 4, Little)?, bytes.u16(at + 6, Little)?);
    // .NET writes 255 in the reserved byte.
    let valid = [0, 255].contains(&reserved) && planes <= 1 && [0, 1, 2, 4, 8, 16, 24, 32].contains(&bits);
    place(bytes, i, count).filter(|_| valid).map(|(offset, size)| (offset, size, bits))
}

/// Width and height of the image at `offset`, and whether it is a PNG.
fn image_at(bytes: Bytes<'_>, offset: u64) -> Option<((u32, u32), bool)> {
    let rest = bytes.from(offset);
    let rest = Bytes::new(rest, rest.len() as u64);
    if png::is_png(rest) {
        let big = crate::sample::bytes::Endian::Big;
        return Some(((rest.u32(16, big)?, rest.u32(20, big)?), true));
    }
    // The height of a bitmap counts its mask too.
    let valid = rest.u32(0, Little)? == 40 && bmp::dib_is_valid(rest, 0);
    let size = (rest.u32(4, Little)?, rest.u32(8, Little)?.cast_signed().unsigned_abs() / 2);
    valid.then_some((size, false))
}

/// The image of an icon with the most pixels; of several, the one with the most bits a pixel, the first of these.
pub fn largest_icon(file: &[u8]) -> Option<Icon<'_>> {
    let bytes = Bytes::new(file, file.len() as u64);
    let count = count(bytes, 1)?;
    let mut best: Option<((u64, u16), Icon<'_>)> = None;
    for i in 0..count {
        let Some((offset, size, bits)) = entry(bytes, i, count) else { continue };
        let Some((dimensions, is_png)) = image_at(bytes, offset) else { continue };
        let rest = bytes.from(offset);
        let own = usize::try_from(size).ok().and_then(|size| rest.get(..size)).unwrap_or(rest);
        let rank = (u64::from(dimensions.0) * u64::from(dimensions.1), bits);
        if best.as_ref().is_none_or(|(known, _)| *known < rank) {
            best = Some((rank, Icon { bytes: own, size: dimensions, is_png }));
        }
    }
    best.map(|(_, icon)| icon)
}
