//! The sections of an ELF file, from its section headers. Nothing is loaded by them, so that programs run without any
//! or with rubbish there.

use super::header::Header;
use super::sizes;
use crate::sample::bytes::Bytes;
use crate::sample::facts::Notes;
use crate::sample::formats::layout::Region;
use crate::sample::formats::listing::FileLimits;
use object::elf;

/// Section headers that are read.
const MAX_HEADERS: u64 = 1 << 20;

/// One section header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SectionHeader {
    name: u64,
    /// `sh_type`.
    pub kind: u32,
    /// `sh_flags`.
    pub flags: u64,
    /// `sh_addr`.
    pub address: u64,
    /// `sh_offset`.
    pub offset: u64,
    /// `sh_size`.
    pub size: u64,
    /// `sh_link`.
    pub link: u32,
    info: u32,
}

impl SectionHeader {
    /// Its bytes in the file, as the header says; `None` without bytes.
    pub fn content(&self) -> Option<Region> {
        let has_bytes = !matches!(self.kind, elf::SHT_NOBITS | elf::SHT_NULL);
        has_bytes.then(|| Region::new(self.offset, self.size))
    }
}

/// The table of section headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionTable {
    /// All of them, in the order of the file; the first is no section.
    pub all: Vec<SectionHeader>,
    /// The end of the table in the file.
    pub table_end: u64,
    /// The index of the section with the names.
    names: u32,
}

impl SectionTable {
    /// That of a file without sections.
    pub const NONE: Self = Self { all: Vec::new(), table_end: 0, names: 0 };

    /// Reads the table; `None` if there is one and it cannot be read. A file without a table has no sections.
    pub fn read(bytes: Bytes<'_>, header: &Header, notes: &mut Notes) -> Option<Self> {
        let start = header.section_headers;
        if start == 0 {
            return Some(Self::default());
        }
        let size = u64::from(sizes::section_header(header.layout));
        let mut fail = |why: String| {
            notes.problem("sections", why);
            None
        };
        if u64::from(header.section_header_size) != size {
            let found = header.section_header_size;
            return fail(format!("a section header is said to have {found} bytes instead of {size}"));
        }
        if start.checked_add(size).is_none_or(|end| end > bytes.size()) {
            return fail(format!("the section headers at offset {start} are outside of the file"));
        }
        let Some(first) = read_header(bytes, header, start) else {
            return fail("the section headers are beyond the part of the file that is read".to_owned());
        };
        let count = match header.section_header_count {
            0 => first.size,
            count => u64::from(count),
        };
        let table_end = count.checked_mul(size).and_then(|len| len.checked_add(start));
        let Some(table_end) = table_end.filter(|end| *end <= bytes.size() && count <= MAX_HEADERS) else {
            return fail(format!("the {count} section headers at offset {start} end outside of the file"));
        };
        let all = (0..count).map_while(|index| read_header(bytes, header, start + index * size));
        let all: Vec<_> = all.collect();
        if all.len() as u64 != count {
            return fail("the section headers are beyond the part of the file that is read".to_owned());
        }
        let names = match header.names_section {
            elf::SHN_XINDEX => first.link,
            index => u32::from(index),
        };
        Some(Self { all, table_end, names })
    }

    /// The number of program headers, where `e_phnum` cannot say it.
    pub fn program_header_count(&self) -> Option<u64> {
        self.all.first().map(|first| u64::from(first.info))
    }

    /// The first section of a type.
    pub fn first(&self, kind: u32) -> Option<&SectionHeader> {
        self.all.iter().find(|section| section.kind == kind)
    }

    /// A section without bytes in the file at an address.
    pub fn without_bytes_at(&self, address: u64) -> Option<&SectionHeader> {
        self.all.iter().find(|section| section.kind == elf::SHT_NOBITS && section.address == address)
    }

    /// The section that another one refers to by `sh_link`.
    pub fn linked(&self, section: &SectionHeader) -> Option<&SectionHeader> {
        self.all.get(section.link as usize)
    }

    /// Whether a section of this name has a byte that is not zero.
    pub fn is_filled(&self, bytes: Bytes<'_>, name: &[u8], limits: &mut FileLimits) -> bool {
        let called = |section: &&SectionHeader| self.name(bytes, section, limits) == Some(name);
        let region = self.all.iter().find(called).and_then(SectionHeader::content);
        let content = region.and_then(|region| bytes.get(region.offset, region.size));
        content.is_some_and(|content| content.iter().any(|byte| *byte != 0))
    }

    /// The name of a section; `None` if it cannot be read.
    pub fn name<'a>(
        &self,
        bytes: Bytes<'a>,
        section: &SectionHeader,
        limits: &mut FileLimits,
    ) -> Option<&'a [u8]> {
        let table = self.all.get(self.names as usize).filter(|_| self.names != 0)?;
        table.content()?.text(bytes, section.name, limits)
    }
}

fn read_header(bytes: Bytes<'_>, header: &Header, at: u64) -> Option<SectionHeader> {
    let layout = header.layout;
    let word = |narrow, wide| layout.word(bytes, at + layout.either(narrow, wide));
    let u32 = |narrow, wide| bytes.u32(at + layout.either(narrow, wide), layout.endian);
    Some(SectionHeader {
        name: u64::from(u32(0, 0)?),
        kind: u32(4, 4)?,
        flags: word(8, 8)?,
        address: word(12, 16)?,
        offset: word(16, 24)?,
        size: word(20, 32)?,
        link: u32(24, 40)?,
        info: u32(28, 44)?,
    })
}
