//! The layout of a file: 32 or 64 bits and the byte order of its numbers, and a part of it.

use super::listing::FileLimits;
use crate::sample::bytes::{Bytes, Endian};

/// The highest offset or size that is computed with. It is outside of every file, and sums do not overflow.
pub const FAR: u64 = 1 << 62;

/// How the numbers of a file are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whether addresses and offsets have 64 bits.
    pub wide: bool,
    /// The byte order.
    pub endian: Endian,
}

impl Layout {
    /// An address, offset or size: 32 or 64 bits.
    pub fn word(self, bytes: Bytes<'_>, at: u64) -> Option<u64> {
        if self.wide { bytes.u64(at, self.endian) } else { self.half(bytes, at) }
    }

    /// A number of 32 bits.
    pub fn half(self, bytes: Bytes<'_>, at: u64) -> Option<u64> {
        bytes.u32(at, self.endian).map(u64::from)
    }

    /// One of two values: of a 32-bit and of a 64-bit file.
    pub fn either<T>(self, narrow: T, wide: T) -> T {
        if self.wide { wide } else { narrow }
    }
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its offset in the file.
    pub offset: u64,
    /// Its size in bytes.
    pub size: u64,
}

impl Region {
    /// A part as a header describes it, in the file or not.
    pub fn new(offset: u64, size: u64) -> Self {
        Self { offset: offset.min(FAR), size: size.min(FAR) }
    }

    /// The end of the part.
    pub fn end(self) -> u64 {
        self.offset.saturating_add(self.size)
    }

    /// What of it is in a file of `size` bytes; `None` without bytes.
    pub fn within(self, size: u64) -> Option<Self> {
        let left = size.checked_sub(self.offset).filter(|left| *left > 0 && self.size > 0)?;
        Some(Self { offset: self.offset, size: self.size.min(left) })
    }

    /// The same for what a list names: an empty part keeps its offset.
    pub fn listed_within(self, size: u64) -> Option<Self> {
        if self.size == 0 { Some(self).filter(|part| part.offset <= size) } else { self.within(size) }
    }

    /// The text at `at` in this table of texts, up to a zero byte; `None` if it is outside, too long, or beyond the
    /// limit on the work.
    pub fn text<'a>(self, bytes: Bytes<'a>, at: u64, limits: &mut FileLimits) -> Option<&'a [u8]> {
        limits.text(bytes, self.offset.checked_add(at)?, self.size.checked_sub(at)?)
    }
}
