//! The header and the program headers of an ELF, as UPX writes and restores them.

use crate::sample::bytes::{Bytes, Endian};

/// Program headers that are read.
const MOST: u16 = 512;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;

/// What unpacking needs.
#[derive(Clone, Debug)]
pub struct ElfHeaders {
    pub endian: Endian,
    /// Whether it is a 64-bit one.
    pub wide: bool,
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
        let word = |of_64: u64, of_32: u64| {
            if wide { bytes.u64(of_64, endian) } else { bytes.u32(of_32, endian).map(u64::from) }
        };
        let table = word(32, 28)?;
        let (entry_size, count) = if wide { (54, 56) } else { (42, 44) };
        let (entry_size, count) = (bytes.u16(entry_size, endian)?, bytes.u16(count, endian)?);
        if entry_size != if wide { 56 } else { 32 } || count > MOST {
            return None;
        }
        let segment = |index: u16| {
            let at = table.checked_add(u64::from(entry_size) * u64::from(index))?;
            let word = |of_64: u64, of_32: u64| {
                let field = at.checked_add(if wide { of_64 } else { of_32 })?;
                if wide { bytes.u64(field, endian) } else { bytes.u32(field, endian).map(u64::from) }
            };
            let kind = bytes.u32(at, endian)?;
            Some(Segment {
                loaded: kind == PT_LOAD,
                dynamic: kind == PT_DYNAMIC,
                write: bytes.u32(at.checked_add(if wide { 4 } else { 24 })?, endian)? & 2 != 0,
                offset: word(8, 4)?,
                address: word(16, 8)?,
                size: word(32, 16)?,
            })
        };
        let machine = bytes.u16(18, endian)?;
        Some(Self {
            endian,
            wide,
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
