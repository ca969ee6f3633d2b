//! The layout of an ELF file: 32 or 64 bits, and the byte order of its numbers.

use crate::sample::bytes::{Bytes, Endian};

/// The highest offset or size that is computed with. It is outside of every file, and sums do not overflow.
pub const FAR: u64 = 1 << 62;

/// How the numbers of an ELF file are laid out.
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

    /// The size of the file header.
    pub fn header_size(self) -> u16 {
        self.either(52, 64)
    }

    /// The size of a program header.
    pub fn program_header_size(self) -> u16 {
        self.either(32, 56)
    }

    /// The size of a section header.
    pub fn section_header_size(self) -> u16 {
        self.either(40, 64)
    }

    /// The size of a symbol.
    pub fn symbol_size(self) -> u64 {
        self.either(16, 24)
    }
}
