//! BMP: the file header and the bitmap header (Microsoft, Bitmap Header Types).

use crate::sample::bytes::{Bytes, Endian::Little};

/// The sizes of bitmap headers: BITMAPCOREHEADER, BITMAPINFOHEADER, and its versions 2 to 5.
const HEADERS: [u32; 6] = [12, 40, 52, 56, 108, 124];
/// The sizes of headers that only OS/2 writes.
const OS2_HEADERS: [u32; 2] = [16, 64];

/// Whether the headers are valid and of a kind that is decoded.
pub fn is_bmp(bytes: Bytes<'_>) -> bool {
    header(bytes)
        .is_some_and(|(size, compression)| HEADERS.contains(&size) && [0, 1, 2, 3].contains(&compression))
}

/// Whether the headers are valid but of a rare kind: of OS/2, or around a JPEG or PNG.
pub fn is_rare_bmp(bytes: Bytes<'_>) -> bool {
    header(bytes).is_some() && !is_bmp(bytes)
}

/// The size of a valid bitmap header and the compression that it names.
fn header(bytes: Bytes<'_>) -> Option<(u32, u32)> {
    if !bytes.kept().starts_with(b"BM") {
        return None;
    }
    let (pixels, size) = (bytes.u32(10, Little)?, bytes.u32(14, Little)?);
    if !(HEADERS.contains(&size) || OS2_HEADERS.contains(&size)) || pixels < 14 + size {
        return None;
    }
    if size == 12 {
        let (width, height) = (bytes.u16(18, Little)?, bytes.u16(20, Little)?);
        let valid = width > 0 && height > 0 && bytes.u16(22, Little)? == 1;
        return (valid && [1, 4, 8, 24].contains(&bytes.u16(24, Little)?)).then_some((size, 0));
    }
    dib_is_valid(bytes, 14).then_some((size, if size == 16 { 0 } else { bytes.u32(30, Little)? }))
}

/// Whether the bitmap header at `at`, of at least 16 bytes, has a plausible size, one plane, and a number of bits.
pub fn dib_is_valid(bytes: Bytes<'_>, at: u64) -> bool {
    let number = |offset| bytes.u32(at + offset, Little).map(u32::cast_signed);
    let (Some(width), Some(height)) = (number(4), number(8)) else { return false };
    let bits = bytes.u16(at + 14, Little);
    width > 0
        && height != 0
        && bytes.u16(at + 12, Little) == Some(1)
        && bits.is_some_and(|bits| [0, 1, 2, 4, 8, 16, 24, 32, 64].contains(&bits))
}
