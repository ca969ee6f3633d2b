//! WebP (RFC 9649): the RIFF header and the first chunk.

use crate::sample::bytes::{Bytes, Endian::Little};

/// Whether the first chunk begins a lossy, lossless or extended image.
pub fn is_webp(bytes: Bytes<'_>) -> bool {
    if !bytes.kept().starts_with(b"RIFF") || bytes.get(8, 4) != Some(b"WEBP") {
        return false;
    }
    match bytes.get(12, 4) {
        // The start code of a key frame (RFC 6386, 9.1).
        Some(b"VP8 ") => {
            bytes.get(23, 3) == Some(&[0x9d, 0x01, 0x2a])
                && bytes.array(20).is_some_and(|[tag]: [u8; 1]| tag & 1 == 0)
        }
        Some(b"VP8L") => bytes.get(20, 1) == Some(&[0x2f]),
        Some(b"VP8X") => bytes.u32(16, Little) == Some(10) && bytes.get(20, 10).is_some(),
        _ => false,
    }
}
