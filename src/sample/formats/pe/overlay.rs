//! The overlay of a PE: bytes that none of its headers describes.

use super::debug::DebugEntry;
use super::headers::{Headers, Optional};
use super::section_table::SectionHeader;
use super::signature::Certificates;
use crate::sample::bytes::{Bytes, Endian};
use crate::sample::facts::{Notes, Overlay};
use std::ops::Range;

/// The size of a COFF symbol.
const SYMBOL: u64 = 18;
/// The size of a section header.
const SECTION_HEADER: u64 = 40;
/// The unit to which the certificate table is aligned.
const CERTIFICATE_ALIGNMENT: u64 = 8;

/// Finds the overlay. The certificate table, COFF symbols with their names, and debug data are described by headers;
/// they are no overlay, and what is before or between them is one.
pub fn find_overlay(
    bytes: Bytes<'_>,
    headers: &Headers,
    sections: &[SectionHeader],
    debug: &[DebugEntry],
    certificates: &Certificates,
    notes: &mut Notes,
) -> Option<Overlay> {
    let size = bytes.size();
    let mut known: Vec<Range<u64>> = Vec::new();
    known.extend(symbols(bytes, headers));
    known.extend(debug.iter().map(|entry| range(u64::from(entry.offset), u64::from(entry.size))));
    if let Certificates::At(range) = certificates {
        known.push(range.clone());
    }
    known.retain(|range| range.end <= size);
    known.sort_by_key(|range| (range.start, range.end));

    let mut at = image_end(headers, sections, size);
    let mut gaps = Vec::new();
    for range in known {
        if range.start > at && !is_padding(bytes, at, range.start) {
            gaps.push(Overlay { offset: at, size: range.start - at });
        }
        at = at.max(range.end);
    }
    if at < size {
        let certified = matches!(certificates, Certificates::At(range) if range.end == at);
        if !certified || !is_padding(bytes, at, size) {
            gaps.push(Overlay { offset: at, size: size - at });
        }
    }
    for gap in gaps.iter().skip(1) {
        notes.problem("overlay", format_args!("{} more bytes at offset {}", gap.size, gap.offset));
    }
    gaps.first().copied()
}

/// The end of the headers and the sections in the file.
fn image_end(headers: &Headers, sections: &[SectionHeader], size: u64) -> u64 {
    let table = headers.offset + headers.table + sections.len() as u64 * SECTION_HEADER;
    // The file ends within the next header: there is nothing after it.
    let is_cut_off = sections.len() < usize::from(headers.section_count) && table + SECTION_HEADER > size;
    let table = if is_cut_off { size } else { table };
    let ranges = sections.iter().filter_map(SectionHeader::raw_range).filter(|(offset, _)| *offset < size);
    let first = ranges.clone().map(|(offset, _)| offset).min();
    // Nothing is hidden behind a number that cannot be right: the headers end where the first section starts.
    let declared = headers.optional.as_ref().map_or(0, |optional| u64::from(optional.headers_size));
    let declared = first.map_or(declared, |first| declared.min(first));
    let declared = if declared <= size { declared } else { 0 };
    let sections = ranges.map(|(offset, len)| offset.saturating_add(len)).max().unwrap_or_default();
    table.max(declared).max(sections).min(size)
}

/// The COFF symbols, and the names after them.
fn symbols(bytes: Bytes<'_>, headers: &Headers) -> Option<Range<u64>> {
    let start = u64::from(headers.symbols);
    if start == 0 {
        return None;
    }
    let end = start + u64::from(headers.symbol_count) * SYMBOL;
    let names = bytes.u32(end, Endian::Little).map(u64::from);
    let with_names = names.filter(|len| *len >= 4 && end + len <= bytes.size()).map_or(end, |len| end + len);
    Some(start..with_names)
}

fn range(start: u64, len: u64) -> Range<u64> {
    start..if start == 0 { 0 } else { start + len }
}

/// Whether the bytes between only align what follows.
fn is_padding(bytes: Bytes<'_>, start: u64, end: u64) -> bool {
    end - start < CERTIFICATE_ALIGNMENT
        && bytes.get(start, end - start).is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0))
}

/// The overlay of a memory dump: what is after the image.
pub fn after_image(bytes: Bytes<'_>, optional: &Optional, sections: &[SectionHeader]) -> Option<Overlay> {
    let page = u64::from(optional.section_alignment).max(4096);
    let ends = sections.iter().map(|section| u64::from(section.virtual_address) + section.memory_size());
    let end = ends.max().unwrap_or_default().checked_next_multiple_of(page)?;
    let end = end.max(u64::from(optional.image_size));
    (end < bytes.size()).then(|| Overlay { offset: end, size: bytes.size() - end })
}

#[cfg(test)]
mod tests {
    use super::super::test_pe::{NT, OPTIONAL, TestPe};

    fn overlay(pe: &TestPe) -> Option<(u64, u64)> {
        pe.facts().overlay.unwrap().map(|overlay| (overlay.offset, overlay.size))
    }

    fn signed(mut pe: TestPe) -> TestPe {
        pe.0.resize(pe.0.len().next_multiple_of(8), 0);
        let at = pe.0.len() as u32;
        pe.directory(4, at, 24);
        pe.0.extend(b"\x18\0\0\0\0\x02\x02\0");
        pe.0.extend([1; 16]);
        pe
    }

    #[test]
    fn an_ordinary_program_has_none() {
        let pe = TestPe::with_imports();
        assert_eq!(overlay(&pe), None);
        let signed = signed(pe);
        assert_eq!((overlay(&signed), signed.facts().signed), (None, Some(true)));
    }

    #[test]
    fn a_payload_is_one_with_and_without_a_signature() {
        let mut pe = TestPe::plain();
        pe.0.extend([7; 101]);
        assert_eq!(overlay(&pe), Some((0x1400, 101)));
        // The padding before the certificates belongs to the payload; it alone is none.
        assert_eq!(overlay(&signed(pe)), Some((0x1400, 104)));
        let mut odd = TestPe::new(&[[0x1000, 0x1000, 0x400, 0x3fd]]);
        odd.0.truncate(0x7fd);
        assert_eq!(overlay(&signed(odd)), None);
        let mut after = signed(TestPe::plain());
        after.0.extend([9; 50]);
        assert_eq!(overlay(&after), Some((0x1418, 50)));
    }

    #[test]
    fn certificates_outside_of_the_file_are_no_signature() {
        let mut pe = TestPe::plain();
        pe.0.extend([7; 100]);
        for (at, size) in [(0x7fff_ff00, 0x1000), (0x1400, 0x1000), (0x1400, 100)] {
            pe.directory(4, at, size);
            let program = pe.facts();
            assert_eq!((program.signed, overlay(&pe)), (Some(false), Some((0x1400, 100))));
            assert!(program.notes.problems[0].starts_with("signed: "));
        }
    }

    #[test]
    fn symbols_with_their_names_are_none() {
        let mut pe = TestPe::plain();
        pe.put32(NT + 12, 0x1400).put32(NT + 16, 2);
        pe.0.extend([0; 36]);
        pe.0.extend([10, 0, 0, 0, b'n', b'a', b'm', b'e', b's', 0]);
        assert_eq!(overlay(&pe), None);
        pe.0.extend([7; 5]);
        assert_eq!(overlay(&pe), Some((0x1400 + 46, 5)));
        pe.put32(NT + 16, u32::MAX);
        assert_eq!(overlay(&pe), Some((0x1400, 51)));
    }

    #[test]
    fn debug_data_is_none() {
        let mut pe = TestPe::plain();
        pe.directory(6, 0x1200, 28).words_rva(0x1200, &[0, 0, 0, 2, 40, 0, 0x1400]);
        pe.0.extend([3; 40]);
        assert_eq!(overlay(&pe), None);
    }

    #[test]
    fn the_size_of_the_headers_hides_nothing() {
        let mut pe = TestPe::plain();
        pe.put32(OPTIONAL + 60, 0x1410);
        pe.0.extend([7; 32]);
        assert_eq!(overlay(&pe), Some((0x1400, 32)));
        let mut small = TestPe::new(&[]);
        assert_eq!(overlay(&small), None);
        small.0.push(1);
        assert_eq!(overlay(&small), Some((0x400, 1)));
    }
}
