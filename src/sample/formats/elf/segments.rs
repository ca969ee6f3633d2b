//! The segments of an ELF file, from its program headers: what a system loads.

use super::header::Header;
use super::sizes;
use crate::sample::bytes::Bytes;
use crate::sample::facts::Notes;
use crate::sample::formats::layout::{FAR, Region};
use object::elf;

/// Linux starts no program with more bytes of program headers; a core dump may have more of them.
const MAX_SEGMENTS: u64 = 1 << 20;
/// Systems load whole pages, so that some bytes around a segment are loaded with it.
const PAGE: u64 = 4096;

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// `p_type`.
    pub kind: u32,
    /// The offset of its bytes in the file.
    pub offset: u64,
    /// Its address.
    pub address: u64,
    /// Its bytes in the file.
    pub file_size: u64,
}

/// The table of program headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    /// All of them, in the order of the file.
    pub all: Vec<Segment>,
    /// The end of the table in the file.
    pub table_end: u64,
}

impl Segments {
    /// Reads the table; `None` if there is one and it cannot be read. `many`: the number of program headers, if there
    /// are more than `e_phnum` can say.
    pub fn read(bytes: Bytes<'_>, header: &Header, many: Option<u64>, notes: &mut Notes) -> Option<Self> {
        let count = match (header.program_header_count, many) {
            (elf::PN_XNUM, Some(many)) => many.min(MAX_SEGMENTS),
            (count, _) => u64::from(count),
        };
        if count == 0 {
            return Some(Self::default());
        }
        let layout = header.layout;
        let size = u64::from(sizes::program_header(layout));
        if u64::from(header.program_header_size) != size {
            notes.problem(
                "segments",
                format!(
                    "a program header is said to have {} bytes instead of {size}; no system loads this",
                    header.program_header_size
                ),
            );
            return None;
        }
        let table_end = count.checked_mul(size).and_then(|len| len.checked_add(header.program_headers));
        let Some(table_end) = table_end.filter(|end| *end <= bytes.size()) else {
            notes.problem(
                "segments",
                format!(
                    "the {count} program headers at offset {} are outside of the file",
                    header.program_headers
                ),
            );
            return None;
        };
        let mut all = Vec::new();
        for index in 0..count {
            let at = header.program_headers + index * size;
            let word = |narrow, wide| layout.word(bytes, at + layout.either(narrow, wide));
            let segment = || {
                Some(Segment {
                    kind: bytes.u32(at, layout.endian)?,
                    offset: word(4, 8)?.min(FAR),
                    address: word(8, 16)?,
                    file_size: word(16, 32)?.min(FAR),
                })
            };
            let Some(segment) = segment() else {
                notes.problem("segments", "the program headers are beyond the part of the file that is read");
                return None;
            };
            all.push(segment);
        }
        Some(Self { all, table_end })
    }

    /// The first segment of a type.
    pub fn first(&self, kind: u32) -> Option<&Segment> {
        self.all.iter().find(|segment| segment.kind == kind)
    }

    /// The part of the file that is loaded at `address` and up to the end of its segment.
    /// Of several segments at one address the last counts: it is loaded over the others.
    pub fn loaded_at(&self, address: u64) -> Option<Region> {
        let loaded = || self.all.iter().rev().filter(|segment| segment.kind == elf::PT_LOAD);
        let exact = loaded().find_map(|segment| {
            let into = address.checked_sub(segment.address).filter(|into| *into < segment.file_size)?;
            Some(Region::new(segment.offset.checked_add(into)?, segment.file_size - into))
        });
        exact.or_else(|| {
            loaded().find_map(|segment| {
                let before = segment.address % PAGE;
                if segment.file_size == 0 || segment.offset % PAGE != before {
                    return None;
                }
                let size = segment.file_size.checked_add(before)?.checked_next_multiple_of(PAGE)?;
                let into = address.checked_sub(segment.address - before).filter(|into| *into < size)?;
                Some(Region::new(segment.offset.checked_sub(before)?.checked_add(into)?, size - into))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(offset: u64, address: u64, file_size: u64) -> Segment {
        Segment { kind: elf::PT_LOAD, offset, address, file_size }
    }

    #[test]
    fn addresses_are_found_in_the_segment_that_is_loaded_last() {
        let segments = Segments {
            all: vec![load(0, 0x1000, 0x500), load(0x2100, 0x4100, 0x80), load(0x600, 0x1400, 0x10)],
            table_end: 0,
        };
        let at = |address| segments.loaded_at(address).map(|there| (there.offset, there.size));
        assert_eq!(at(0x1010), Some((0x10, 0x4f0)));
        assert_eq!(at(0x1404), Some((0x604, 0xc)));
        // The page around a segment is loaded with it.
        assert_eq!(at(0x4010), Some((0x2010, 0xff0)));
        assert_eq!((at(0x9000), at(u64::MAX)), (None, None));
    }

    #[test]
    fn extreme_numbers_do_not_overflow() {
        let segments = Segments { all: vec![load(FAR, u64::MAX - 5, FAR), load(FAR, 0, FAR)], table_end: 0 };
        let at = |address| segments.loaded_at(address).map(|there| (there.offset, there.size));
        assert_eq!(at(u64::MAX), Some((FAR, FAR - 5)));
        assert_eq!(at(7), Some((FAR, FAR - 7)));
    }
}
