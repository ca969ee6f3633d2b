//! The header and the program headers of an ELF, as UPX writes and restores them.

use crate::sample::bytes::{Bytes, Endian};
use crate::sample::formats::layout::Layout;

/// Program headers that are read.
const MOST: u16 = 512;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;

/// What unpacking needs.
#[derive(Clone, Debug)]
pub struct ElfHeaders {
    pub layout: Layout,
    /// The fields that packing does not change: magic, class, byte order, machine.
    pub identity: ([u8; 6], u16),
    /// Where the program headers end.
    pub end: u64,
    pub segments: Vec<Segment>,
}

/// One program header.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub loaded: bool,
    pub dynamic: bool,
    pub write: bool,
    pub offset: u64,
    pub address: u64,
    pub size: u64,
}

impl ElfHeaders {
    /// Reads them from the start of a file.
    pub fn read(bytes: Bytes<'_>) -> Option<Self> {
        let identity: [u8; 6] = bytes.array(0)?;
        if !identity.starts_with(b"\x7fELF") {
            return None;
        }
        let wide = identity[4] == 2;
        let endian = if identity[5] == 2 { Endian::Big } else { Endian::Little };
        let layout = Layout { wide, endian };
        let table = layout.word(bytes, layout.either(28, 32))?;
        let (entry_size, count) = layout.either((42, 44), (54, 56));
        let (entry_size, count) = (bytes.u16(entry_size, endian)?, bytes.u16(count, endian)?);
        if entry_size != layout.either(32, 56) || count > MOST {
            return None;
        }
        let segment = |index: u16| {
            let at = table.checked_add(u64::from(entry_size) * u64::from(index))?;
            let word =
                |of_32: u64, of_64: u64| layout.word(bytes, at.checked_add(layout.either(of_32, of_64))?);
            let kind = bytes.u32(at, endian)?;
            Some(Segment {
                loaded: kind == PT_LOAD,
                dynamic: kind == PT_DYNAMIC,
                write: bytes.u32(at.checked_add(layout.either(24, 4))?, endian)? & 2 != 0,
                offset: word(4, 8)?,
                address: word(8, 16)?,
                size: word(16, 32)?,
            })
        };
        let machine = bytes.u16(18, endian)?;
        Some(Self {
            layout,
            identity: (identity, machine),
            end: table.checked_add(u64::from(entry_size) * u64::from(count))?,
            segments: (0..count).map(segment).collect::<Option<_>>()?,
        })
    }

    /// The offset in the file of an address.
    pub fn offset(&self, address: u64) -> Option<u64> {
        let inside = |segment: &&Segment| {
            address.checked_sub(segment.address).is_some_and(|inside| inside < segment.size)
        };
        let segment = self.loaded().find(inside)?;
        segment.offset.checked_add(address - segment.address)
    }

    /// The segments that are loaded.
    pub fn loaded(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.loaded)
    }
}
