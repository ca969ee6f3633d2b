//! The segments of a Mach-O program and the section headers in them. A segment may have no section.

use crate::sample::bytes::Bytes;
use crate::sample::facts::Access;
use crate::sample::formats::layout::{Layout, Region};
use object::macho;

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its name, filled up with zeros.
    pub name: [u8; 16],
    /// Its address.
    pub address: u64,
    /// Its bytes in the file.
    pub content: Region,
    /// What its memory may be used for.
    pub access: Access,
    /// Its section headers.
    headers: Region,
    count: u64,
    layout: Layout,
}

impl Segment {
    /// Reads `LC_SEGMENT` or, if `wide`, `LC_SEGMENT_64`; `None` if the command is too short.
    pub fn read(bytes: Bytes<'_>, layout: Layout, wide: bool, command: Region) -> Option<Self> {
        let layout = Layout { wide, ..layout };
        let size = layout.either(56, 72);
        if command.size < size {
            return None;
        }
        let at = command.offset;
        let word = |narrow, wide| layout.word(bytes, at + layout.either(narrow, wide));
        let half = |narrow, wide| bytes.u32(at + layout.either(narrow, wide), layout.endian);
        let protection = half(44, 60)?;
        Some(Self {
            name: bytes.array(at + 8)?,
            address: word(24, 24)?,
            content: Region::new(word(32, 40)?, word(36, 48)?),
            access: Access {
                read: protection & macho::VM_PROT_READ != 0,
                write: protection & macho::VM_PROT_WRITE != 0,
                execute: protection & macho::VM_PROT_EXECUTE != 0,
            },
            headers: Region { offset: at + size, size: command.size - size },
            count: half(48, 64)?.into(),
            layout,
        })
    }

    /// Its section headers: as many as are said and as are in the command.
    pub fn sections<'a>(&'a self, bytes: Bytes<'a>) -> impl Iterator<Item = SectionHeader> + 'a {
        let size = self.layout.either(68, 80);
        let count = self.count.min(self.headers.size / size);
        (0..count).map_while(move |index| {
            SectionHeader::read(bytes, self.layout, self.headers.offset + index * size)
        })
    }

    /// Whether its command holds fewer section headers than are said.
    pub fn is_cut(&self) -> bool {
        self.count > self.headers.size / self.layout.either(68, 80)
    }
}

/// One section header.
pub struct SectionHeader {
    name: [u8; 16],
    segment: [u8; 16],
    /// Its address.
    pub address: u64,
    /// Its size in memory.
    pub size: u64,
    offset: u64,
    flags: u32,
    /// Its relocations in the file.
    pub relocations: Region,
}

impl SectionHeader {
    fn read(bytes: Bytes<'_>, layout: Layout, at: u64) -> Option<Self> {
        let half = |narrow, wide| layout.half(bytes, at + layout.either(narrow, wide));
        Some(Self {
            name: bytes.array(at)?,
            segment: bytes.array(at + 16)?,
            address: layout.word(bytes, at + 32)?,
            size: layout.word(bytes, at + layout.either(36, 40))?,
            offset: half(40, 48)?,
            flags: bytes.u32(at + layout.either(56, 64), layout.endian)?,
            relocations: Region::new(half(48, 56)?, half(52, 60)?.saturating_mul(8)),
        })
    }

    /// Its bytes in the file, as the header says; `None` without bytes.
    pub fn content(&self, segment: &Segment) -> Option<Region> {
        let zeros = matches!(
            self.flags & macho::SECTION_TYPE,
            macho::S_ZEROFILL | macho::S_GB_ZEROFILL | macho::S_THREAD_LOCAL_ZEROFILL
        );
        // A file of debug information has the sections of its program without their bytes.
        let has_bytes = !zeros && self.offset > 0 && segment.content.size > 0;
        has_bytes.then(|| Region::new(self.offset, self.size))
    }

    /// Its name: `segment,section`.
    pub fn full_name(&self) -> String {
        format!("{},{}", text(&self.segment), text(&self.name))
    }
}

/// A name up to its first zero.
fn text(name: &[u8; 16]) -> String {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    String::from_utf8_lossy(name.get(..end).unwrap_or(name)).into_owned()
}
