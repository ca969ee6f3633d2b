//! The section table of a PE.

use super::headers::Headers;
use crate::sample::bytes::{Bytes, Endian};
use crate::sample::facts::{MAX_SECTIONS, Notes};

/// The size of one section header.
const ENTRY: u64 = 40;

/// One section header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SectionHeader {
    /// The name, filled up with zeros.
    pub name: [u8; 8],
    /// Its size in memory.
    pub virtual_size: u32,
    /// Its RVA.
    pub virtual_address: u32,
    /// Its bytes in the file.
    pub raw_size: u32,
    /// Their offset.
    pub raw_offset: u32,
    /// Flags.
    pub flags: u32,
}

impl SectionHeader {
    fn read(nt: Bytes<'_>, at: u64) -> Option<Self> {
        let bytes: [u8; ENTRY as usize] = nt.array(at)?;
        let bytes = Bytes::new(&bytes, ENTRY);
        let long = |at| bytes.u32(at, Endian::Little);
        Some(Self {
            name: bytes.array(0)?,
            virtual_size: long(8)?,
            virtual_address: long(12)?,
            raw_size: long(16)?,
            raw_offset: long(20)?,
            flags: long(36)?,
        })
    }

    /// Offset and size of its bytes in the file, as the header gives them; `None` if it has none. An offset of zero
    /// says so too.
    pub fn raw_range(&self) -> Option<(u64, u64)> {
        (self.raw_size > 0 && self.raw_offset > 0)
            .then_some((u64::from(self.raw_offset), u64::from(self.raw_size)))
    }

    /// Its size in memory: a virtual size of zero means the size in the file.
    pub fn memory_size(&self) -> u64 {
        u64::from(if self.virtual_size == 0 { self.raw_size } else { self.virtual_size })
    }
}

/// Reads the section table from `nt`, the bytes of the file from the signature on.
pub fn read_table(nt: Bytes<'_>, headers: &Headers, notes: &mut Notes) -> Vec<SectionHeader> {
    let mut sections = Vec::new();
    let count = headers.section_count;
    for number in 0..u64::from(count) {
        let why = match SectionHeader::read(nt, headers.table.saturating_add(number * ENTRY)) {
            Some(_) if sections.len() >= MAX_SECTIONS => "more are not listed".to_owned(),
            Some(section) if section == SectionHeader::default() => {
                "the header of the next one is empty".to_owned()
            }
            Some(section) => {
                sections.push(section);
                continue;
            }
            None => "the file ends in the section table".to_owned(),
        };
        notes.problem("sections", format_args!("{} of {count} could be read: {why}", sections.len()));
        break;
    }
    sections
}
