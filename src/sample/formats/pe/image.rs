//! The image of a PE: which bytes of the file are at a relative virtual address (RVA) once it is loaded.

use super::headers::{Headers, Optional};
use super::section_table::SectionHeader;
use crate::sample::bytes::Bytes;

/// The smallest unit of memory that is mapped.
const PAGE: u64 = 4096;
/// The unit in which the loader reads files: it ignores the lower bits of a section's offset.
const SECTOR: u64 = 512;

/// How the bytes of a file are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As linked: each section at the offset that its header gives.
    File,
    /// As in memory: each section at its virtual address.
    Memory,
}

/// A range of the image that comes from one place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    /// The first RVA.
    start: u64,
    /// The RVA after the last.
    end: u64,
    /// The offset in the file of the byte at `start`.
    offset: u64,
    /// The number of bytes that come from the file; the others are zero.
    raw: u64,
    /// The number of bytes after them that should come from the file, which ends before.
    lost: u64,
}

impl Range {
    /// Whether the byte at this distance from the start is not known, since the file ends before it.
    fn is_lost(&self, within: u64) -> bool {
        within >= self.raw && within - self.raw < self.lost
    }
}

/// The ranges of the image, in order of their RVA and without overlap.
#[derive(Clone, Debug)]
pub struct Map {
    ranges: Vec<Range>,
}

impl Map {
    /// The map of a file of `size` bytes.
    pub fn new(headers: &Headers, sections: &[SectionHeader], layout: Layout, size: u64) -> Self {
        let flat = Range { start: 0, end: size, offset: 0, raw: size, lost: 0 };
        let Ok(optional) = &headers.optional else {
            return Self { ranges: vec![flat] };
        };
        if layout == Layout::Memory {
            let end = u64::from(optional.image_size).max(size);
            return Self { ranges: vec![Range { end, ..flat }] };
        }
        let mut ranges: Vec<Range> =
            sections.iter().filter_map(|section| range_of(section, optional, size)).collect();
        // Of several at one address, the one with the most bytes.
        ranges.sort_by_key(|range| (range.start, u64::MAX - range.raw));
        ranges.dedup_by_key(|range| range.start);
        let first = ranges.first().map_or(size, |range| range.start);
        if first > 0 {
            ranges.insert(0, Range { start: 0, end: first, offset: 0, raw: first.min(size), lost: 0 });
        }
        let starts: Vec<u64> = ranges.iter().skip(1).map(|range| range.start).collect();
        for (range, next) in ranges.iter_mut().zip(starts) {
            range.end = range.end.min(next);
            range.raw = range.raw.min(range.end - range.start);
        }
        Self { ranges }
    }

    /// The range with `rva`, and the distance of `rva` from its start.
    fn find(&self, rva: u64) -> Option<(Range, u64)> {
        let after = self.ranges.partition_point(|range| range.start <= rva);
        let range = *self.ranges.get(after.checked_sub(1)?)?;
        (rva < range.end).then(|| (range, rva - range.start))
    }

    /// The offset in the file of the byte at `rva`; `None` if it does not come from the file.
    pub fn offset(&self, rva: u64) -> Option<u64> {
        let (range, within) = self.find(rva)?;
        (within < range.raw).then(|| range.offset.saturating_add(within))
    }
}

/// The range of one section.
fn range_of(section: &SectionHeader, optional: &Optional, size: u64) -> Option<Range> {
    let start = u64::from(section.virtual_address);
    let (offset, raw, lost) = match section.raw_range() {
        Some((offset, said)) => {
            let offset = loaded_offset(offset, section, optional);
            let raw = said.min(size.saturating_sub(offset));
            // What fills the last sector is often not written.
            let lost = said.min(section.memory_size()).saturating_sub(raw);
            (offset, raw, if lost < SECTOR { 0 } else { lost })
        }
        None => (0, 0, 0),
    };
    let len = u64::from(section.virtual_size).max(raw).next_multiple_of(PAGE);
    (len > 0).then_some(Range { start, end: start + len, offset, raw, lost })
}

/// The offset from which the loader reads a section.
fn loaded_offset(offset: u64, section: &SectionHeader, optional: &Optional) -> u64 {
    // An image whose sections are aligned to less than a page is mapped in one piece.
    let flat = u64::from(optional.section_alignment) < PAGE && offset == u64::from(section.virtual_address);
    if flat || u64::from(optional.file_alignment) < SECTOR { offset } else { offset - offset % SECTOR }
}

/// The bytes of an image, read at RVAs that its author chose: outside of the image there is `None`, never a panic.
#[derive(Debug)]
pub struct Image<'a> {
    bytes: Bytes<'a>,
    map: Map,
}

impl<'a> Image<'a> {
    /// An image whose bytes are in a file.
    pub fn new(bytes: Bytes<'a>, map: Map) -> Self {
        Self { bytes, map }
    }

    /// `N` bytes at `rva`.
    pub fn array<const N: usize>(&self, rva: u64) -> Option<[u8; N]> {
        let mut out = [0; N];
        let mut filled = 0;
        while filled < N {
            let at = rva.checked_add(filled as u64)?;
            let (range, within) = self.map.find(at)?;
            let here = (range.end - at).min((N - filled) as u64);
            let raw = here.min(range.raw.saturating_sub(within));
            if raw > 0 {
                let found = self.bytes.get(range.offset.checked_add(within)?, raw)?;
                out.get_mut(filled..)?.get_mut(..found.len())?.copy_from_slice(found);
            }
            if raw < here && range.is_lost(within.saturating_add(raw)) {
                return None;
            }
            filled += here as usize;
        }
        Some(out)
    }

    /// The 16-bit number at `rva`.
    pub fn u16(&self, rva: u64) -> Option<u16> {
        self.array(rva).map(u16::from_le_bytes)
    }

    /// The 32-bit number at `rva`.
    pub fn u32(&self, rva: u64) -> Option<u32> {
        self.array(rva).map(u32::from_le_bytes)
    }

    /// The 64-bit number at `rva`.
    pub fn u64(&self, rva: u64) -> Option<u64> {
        self.array(rva).map(u64::from_le_bytes)
    }

    /// The bytes at `rva` up to a zero byte; `None` if there is none within `most` bytes.
    pub fn text(&self, rva: u64, most: usize) -> Option<&'a [u8]> {
        let (range, within) = self.map.find(rva)?;
        let Some(raw) = range.raw.checked_sub(within).filter(|raw| *raw > 0) else {
            return (!range.is_lost(within)).then_some(b"");
        };
        let rest = self.bytes.from(range.offset.checked_add(within)?);
        let mapped = usize::try_from(raw).ok().and_then(|raw| rest.get(..raw)).unwrap_or(rest);
        let searched = mapped.get(..most).unwrap_or(mapped);
        match searched.iter().position(|byte| *byte == 0) {
            Some(end) => searched.get(..end),
            // After the bytes from the file there are zeros.
            None if searched.len() as u64 == raw
                && range.end - range.start > range.raw
                && !range.is_lost(range.raw) =>
            {
                Some(searched)
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_pe::{OPTIONAL, TestPe};

    #[test]
    fn what_a_file_that_is_cut_off_lacks_is_not_zero() {
        let mut pe = TestPe::new(&[[0x1000, 0x3000, 0x400, 0x1000]]);
        pe.put(0x7f8, b"abcdefgh");
        pe.0.truncate(0x800);
        assert_eq!(pe.image().array(0x13f8), Some(*b"abcdefgh"));
        assert_eq!((pe.image().array::<8>(0x13fc), pe.image().text(0x13fc, 9)), (None, None));
        assert_eq!((pe.image().u32(0x1800), pe.image().text(0x1800, 9)), (None, None));
        // Memory that the file does not fill.
        assert_eq!((pe.image().u32(0x2000), pe.image().text(0x2000, 9)), (Some(0), Some(&b""[..])));
        // Only the end of the last sector is missing.
        pe.0.resize(0x1201, 0);
        assert_eq!(pe.image().u32(0x1fff), Some(0));
    }

    #[test]
    fn the_offset_of_a_section_is_rounded_down_as_the_loader_does() {
        let mut pe = TestPe::new(&[[0x1000, 0x1000, 0x410, 0x200]]);
        pe.put(0x400, b"abcd").put(0x410, b"efgh");
        assert_eq!(pe.image().array(0x1000), Some(*b"abcd"));
        // Not with a smaller alignment, which no loader takes.
        pe.put32(OPTIONAL + 36, 1);
        assert_eq!(pe.image().array(0x1000), Some(*b"efgh"));
        // Nor if the image is mapped in one piece.
        let mut flat = TestPe::new(&[[0x410, 0x200, 0x410, 0x200]]);
        flat.put(0x410, b"efgh").put32(OPTIONAL + 32, 0x200);
        assert_eq!(flat.image().array(0x410), Some(*b"efgh"));
    }

    #[test]
    fn after_the_bytes_of_the_file_there_are_zeros_up_to_the_next_section() {
        let mut pe = TestPe::new(&[[0x2000, 0x1000, 0x600, 0x200], [0x1000, 0x1000, 0x400, 0x200]]);
        pe.put(0x5fc, b"abcdefgh");
        let image = pe.image();
        assert_eq!(image.array(0x11fc), Some(*b"abcd\0\0\0\0"));
        assert_eq!(image.array(0x1ffe), Some(*b"\0\0ef"));
        assert_eq!(image.text(0x11fc, 100), Some(&b"abcd"[..]));
        assert_eq!(image.text(0x11fc, 3), None);
        assert_eq!(image.text(0x1800, 100), Some(&b""[..]));
        assert_eq!(image.array::<1>(0x3000), None);
        assert_eq!(image.array(0), Some(*b"MZ"));
    }

    #[test]
    fn a_file_without_sections_is_mapped_as_it_is() {
        let mut pe = TestPe::new(&[]);
        pe.put(0x1f0, b"name");
        assert_eq!(pe.image().text(0x1f0, 10), Some(&b"name"[..]));
        assert_eq!(pe.image().array::<4>(0x3fe), None);
    }

    #[test]
    fn overlapping_sections_end_where_the_next_begins() {
        let mut pe = TestPe::new(&[[0x1000, 0xffff_0000, 0x400, 0x400], [0x1100, 0x100, 0x800, 0x200]]);
        pe.put(0x4fe, b"1234").put(0x800, b"56");
        assert_eq!(pe.image().array(0x10fe), Some(*b"1256"));
    }
}
