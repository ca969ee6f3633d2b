//! Headers of a PE: the COFF header, the optional header and the data directories (Microsoft's PE/COFF
//! specification).
//!
//! As in the Windows loader, a header may be anywhere in the file, and bytes after the end of the file are zero.

use crate::sample::bytes::{Bytes, Endian};
use object::pe;

/// The size of the signature and the COFF header.
const COFF_END: u64 = 24;
/// Data directories that Windows reads, whatever the header says.
const MAX_DIRECTORIES: usize = 16;
/// The magic number of a ROM image's optional header.
const ROM_MAGIC: u16 = 0x107;

/// Where a PE's header is in a file that starts with the magic number of DOS programs: `e_lfanew`, in bytes.
pub fn header_offset(head: Bytes<'_>) -> Option<u64> {
    if !head.kept().starts_with(b"MZ") {
        return None;
    }
    head.u32(0x3c, Endian::Little).map(u64::from)
}

/// The headers of a PE.
#[derive(Clone, Debug)]
pub struct Headers {
    /// The COFF machine.
    pub machine: u16,
    /// `TimeDateStamp`.
    pub linked: u32,
    /// The number of sections in the header.
    pub section_count: u16,
    /// The offset of the COFF symbol table in the file.
    pub symbols: u32,
    /// Its number of symbols.
    pub symbol_count: u32,
    /// The offset of the section table from the signature.
    pub table: u64,
    /// The offset of the signature in the file.
    pub offset: u64,
    /// The optional header, or why it cannot be read.
    pub optional: Result<Optional, String>,
}

/// The optional header.
#[derive(Clone, Debug)]
pub struct Optional {
    /// Whether addresses have 64 bits (PE32+).
    pub wide: bool,
    /// The address of the first instruction, relative to the image base; `None` if it is after the end of the file.
    pub entry: Option<u32>,
    /// The preferred image base.
    pub image_base: u64,
    /// `SectionAlignment`.
    pub section_alignment: u32,
    /// `FileAlignment`.
    pub file_alignment: u32,
    /// `SizeOfImage`.
    pub image_size: u32,
    /// `SizeOfHeaders`.
    pub headers_size: u32,
    /// All data directories that fit into an optional header.
    directories: [Directory; MAX_DIRECTORIES],
    /// How many of them count: all if the file ends before it says so.
    directory_count: usize,
    /// How many of them are in the file.
    directories_present: usize,
}

/// Where a table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// Its relative virtual address; of the certificates, their offset in the file.
    pub rva: u32,
    /// Its size in bytes.
    pub size: u32,
}

impl Headers {
    /// Reads the headers from `nt`, the bytes of a file from `offset` on. `None` if there is no PE signature.
    pub fn read(nt: Bytes<'_>, offset: u64) -> Option<Self> {
        let word = |at| nt.u16(at, Endian::Little).unwrap_or_default();
        let long = |at| nt.u32(at, Endian::Little).unwrap_or_default();
        if nt.u32(0, Endian::Little)? != pe::IMAGE_NT_SIGNATURE {
            return None;
        }
        Some(Self {
            machine: nt.u16(4, Endian::Little)?,
            section_count: word(6),
            linked: long(8),
            symbols: long(12),
            symbol_count: long(16),
            table: COFF_END + u64::from(word(20)),
            offset,
            optional: Optional::read(Bytes::new(nt.from(COFF_END), nt.size().saturating_sub(COFF_END))),
        })
    }
}

impl Optional {
    fn read(header: Bytes<'_>) -> Result<Self, String> {
        let long = |at| header.u32(at, Endian::Little).unwrap_or_default();
        let magic = header.u16(0, Endian::Little).ok_or("the file ends before the optional header")?;
        let wide = match magic {
            pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC | ROM_MAGIC => false,
            pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => true,
            _ => {
                return Err(format!(
                    "the optional header starts with 0x{magic:x}; expected 0x10b (PE32) or 0x20b (PE32+)"
                ));
            }
        };
        let mut optional = Self {
            wide,
            entry: header.u32(16, Endian::Little),
            image_base: 0,
            section_alignment: 0,
            file_alignment: 0,
            image_size: 0,
            headers_size: 0,
            directories: [Directory::default(); MAX_DIRECTORIES],
            directory_count: 0,
            directories_present: 0,
        };
        // The optional header of a ROM image ends after the standard fields.
        if magic == ROM_MAGIC {
            return Ok(optional);
        }
        let count_at = if wide { 108 } else { 92 };
        optional.image_base =
            if wide { header.u64(24, Endian::Little).unwrap_or_default() } else { u64::from(long(28)) };
        optional.section_alignment = long(32);
        optional.file_alignment = long(36);
        optional.image_size = long(56);
        optional.headers_size = long(60);
        optional.directory_count = header
            .u32(count_at, Endian::Little)
            .map_or(MAX_DIRECTORIES, |count| count as usize)
            .min(MAX_DIRECTORIES);
        let mut at = count_at + 4;
        let present = header.size().saturating_sub(at) / 8;
        optional.directories_present = usize::try_from(present).unwrap_or(MAX_DIRECTORIES);
        for directory in &mut optional.directories {
            *directory = Directory { rva: long(at), size: long(at + 4) };
            at += 8;
        }
        Ok(optional)
    }

    /// The data directory with this number; `None` if the image has none.
    pub fn directory(&self, number: usize) -> Option<Directory> {
        self.uncounted_directory(number).filter(|_| number < self.directory_count)
    }

    /// Whether the file ends before the data directory with this number, so that it is not known what it says.
    pub fn is_cut_off(&self, number: usize) -> bool {
        (self.directories_present..self.directory_count).contains(&number)
    }

    /// The same as [`Self::directory`], also after the number of directories that the header gives.
    pub fn uncounted_directory(&self, number: usize) -> Option<Directory> {
        self.directories.get(number).copied().filter(|directory| directory.rva != 0)
    }

    /// The address with the preferred image base.
    pub fn address(&self, rva: u32) -> u64 {
        self.image_base.wrapping_add(u64::from(rva))
    }

    /// The relative virtual address of an address in the image.
    pub fn rva_of(&self, address: u64) -> Option<u32> {
        let rva = u32::try_from(address.checked_sub(self.image_base)?).ok()?;
        (rva < self.image_size).then_some(rva)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Vec<u8> {
        let mut bytes = vec![0; 24 + 224];
        bytes[..6].copy_from_slice(b"PE\0\0\x4c\x01");
        bytes[20] = 224;
        bytes[24..26].copy_from_slice(&[0x0b, 1]);
        bytes[24 + 16] = 0x10;
        bytes[24 + 30] = 0x40;
        bytes[24 + 92] = 2;
        for directory in 0..16 {
            bytes[24 + 96 + 8 * directory] = 1 + directory as u8;
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Headers> {
        Headers::read(Bytes::new(bytes, bytes.len() as u64), 0)
    }

    #[test]
    fn sixteen_directories_are_read_at_most() {
        let mut bytes = header();
        for (count, last) in [(2_u32, 1), (16, 15), (0x20, 15), (u32::MAX, 15)] {
            bytes[24 + 92..24 + 96].copy_from_slice(&count.to_le_bytes());
            let optional = read(&bytes).unwrap().optional.unwrap();
            assert_eq!(optional.directory(last).unwrap().rva, 1 + last as u32, "{count}");
            assert_eq!(optional.directory(last + 1), None);
        }
    }

    #[test]
    fn a_header_that_is_cut_off_ends_with_zeros() {
        let bytes = header();
        let optional = read(&bytes[..24 + 70]).unwrap().optional.unwrap();
        assert_eq!((optional.entry, optional.image_base), (Some(0x10), 0x40_0000));
        assert_eq!(optional.directory(0), None);
        assert!(optional.is_cut_off(0) && optional.is_cut_off(15));
        let optional = read(&bytes[..24 + 96 + 8]).unwrap().optional.unwrap();
        assert_eq!([0, 1, 2].map(|number| optional.is_cut_off(number)), [false, true, false]);
        assert_eq!(read(&bytes[..24 + 18]).unwrap().optional.unwrap().entry, None);
        assert!(read(&bytes[..25]).unwrap().optional.is_err());
        assert!(read(&bytes[..5]).is_none());
    }

    #[test]
    fn an_optional_header_of_another_format_is_named() {
        let mut bytes = header();
        bytes[24] = 0x99;
        assert!(read(&bytes).unwrap().optional.unwrap_err().contains("0x199"));
        bytes[24] = 7;
        let rom = read(&bytes).unwrap().optional.unwrap();
        assert_eq!((rom.entry, rom.directory(1)), (Some(0x10), None));
    }
}
