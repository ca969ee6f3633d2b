//! The headers of a PE, as UPX writes them and keeps the original ones.

use crate::sample::bytes::{Bytes, Endian};

/// Sections that are read; Windows loads at most 96.
const MOST: u16 = 96;
/// The size of one section's header.
pub const SECTION: u64 = 40;

/// Indices of data directories.
pub const EXPORTS: usize = 0;
pub const IMPORTS: usize = 1;
pub const RESOURCES: usize = 2;
pub const RELOCATIONS: usize = 5;
pub const DEBUG: usize = 6;
pub const BOUND_IMPORTS: usize = 11;
pub const ADDRESSES: usize = 12;

/// What unpacking needs.
#[derive(Clone, Debug)]
pub struct PeHeaders {
    /// The offset of the signature.
    pub at: u64,
    pub machine: u16,
    /// Whether it is PE32+.
    pub wide: bool,
    pub relocations_stripped: bool,
    pub entry: u32,
    pub code_base: u32,
    pub code_size: u32,
    pub image_base: u64,
    pub file_alignment: u32,
    /// Address and size of each of the 16 data directories; zeros if there are fewer.
    pub directories: [(u32, u32); 16],
    pub sections: Vec<PeSection>,
}

/// One section. Addresses are relative to the image base.
#[derive(Clone, Copy, Debug)]
pub struct PeSection {
    pub name: [u8; 8],
    pub virtual_size: u32,
    pub address: u32,
    pub size: u32,
    pub offset: u32,
}

impl PeHeaders {
    /// The headers of a file.
    pub fn of_file(bytes: Bytes<'_>) -> Option<Self> {
        if bytes.array(0)? != *b"MZ" {
            return None;
        }
        Self::read(bytes, bytes.u32(60, Endian::Little)?.into())
    }

    /// The headers whose signature is at `at`.
    pub fn read(bytes: Bytes<'_>, at: u64) -> Option<Self> {
        if bytes.array(at)? != *b"PE\0\0" {
            return None;
        }
        let word = |offset: u64| bytes.u16(at.checked_add(offset)?, Endian::Little);
        let number = |offset: u64| bytes.u32(at.checked_add(offset)?, Endian::Little);
        let wide = match word(24)? {
            0x10b => false,
            0x20b => true,
            _ => return None,
        };
        let count = word(6)?;
        if count == 0 || count > MOST {
            return None;
        }
        let table = at.checked_add(24)?.checked_add(word(20)?.into())?;
        let section = |index: u16| {
            let at = table.checked_add(SECTION * u64::from(index))?;
            let number = |offset: u64| bytes.u32(at.checked_add(offset)?, Endian::Little);
            Some(PeSection {
                name: bytes.array(at)?,
                virtual_size: number(8)?,
                address: number(12)?,
                size: number(16)?,
                offset: number(20)?,
            })
        };
        let directory = directories(wide);
        let present = number(directory - 4)?.min(16);
        let mut directories = [(0, 0); 16];
        for (index, entry) in directories.iter_mut().take(present as usize).enumerate() {
            let offset = directory + 8 * index as u64;
            *entry = (number(offset)?, number(offset + 4)?);
        }
        Some(Self {
            at,
            machine: word(4)?,
            wide,
            relocations_stripped: word(22)? & 1 != 0,
            entry: number(40)?,
            code_base: number(44)?,
            code_size: number(28)?,
            image_base: if wide {
                bytes.u64(at.checked_add(48)?, Endian::Little)?
            } else {
                number(52)?.into()
            },
            file_alignment: number(60)?,
            directories,
            sections: (0..count).map(section).collect::<Option<_>>()?,
        })
    }

    /// The size of the signature and both headers, with 16 data directories.
    pub fn size(&self) -> u64 {
        directories(self.wide) + 128
    }

    /// The offset in the file of an address.
    pub fn offset(&self, address: u32) -> Option<u64> {
        let (section, inside) = self.section(address)?;
        Some(u64::from(section.offset) + u64::from(inside))
    }

    /// The section whose bytes hold an address, and how far inside it is.
    fn section(&self, address: u32) -> Option<(&PeSection, u32)> {
        self.sections.iter().find_map(|section| {
            let inside = address.checked_sub(section.address).filter(|inside| *inside < section.size)?;
            Some((section, inside))
        })
    }

    /// The bytes at an address, up to the end of its section.
    pub fn view<'a>(&self, bytes: Bytes<'a>, address: u32) -> Option<&'a [u8]> {
        let (section, inside) = self.section(address)?;
        let rest = bytes.from(u64::from(section.offset) + u64::from(inside));
        Some(rest.get(..(section.size - inside) as usize).unwrap_or(rest))
    }

    /// Whether the first section is room without bytes, and the second one has bytes, as UPX makes them.
    pub fn has_sections_of_upx(&self) -> bool {
        let [first, second, ..] = *self.sections else { return false };
        first.size == 0 && first.virtual_size >= 4096 && second.size > 0
    }

    /// Whether a section has a name that UPX writes.
    pub fn has_names_of_upx(&self) -> bool {
        self.sections.iter().any(|section| section.name.starts_with(b"UPX"))
    }
}

/// The offset of the data directories from the signature.
pub fn directories(wide: bool) -> u64 {
    if wide { 136 } else { 120 }
}
