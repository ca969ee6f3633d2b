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
    let table = headers.offset + headers.table + sections.len() as u64 * 40;
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
