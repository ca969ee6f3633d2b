//! The first bytes of a file, from which an image is recognised.

use crate::sample::bytes::Bytes;

/// Bytes that are looked at.
pub const HEAD: usize = 64 << 10;

/// Whether `bytes` end where the head of a larger file is cut, so that what follows is not known.
pub fn is_cut(bytes: Bytes<'_>) -> bool {
    bytes.kept().len() >= HEAD
}
