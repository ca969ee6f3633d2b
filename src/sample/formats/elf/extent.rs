//! Where an ELF file ends by its own headers. What follows is the overlay.

use super::header::Header;
use super::section_table::{SectionHeader, SectionTable};
use super::segments::Segments;
use crate::sample::facts::Overlay;

/// Bytes after the segments, the sections and the tables of both, in a file of `size` bytes. A part that begins
/// outside of the file does not count; one that ends outside reaches to the end of the file.
pub fn overlay(header: &Header, segments: &Segments, sections: &SectionTable, size: u64) -> Option<Overlay> {
    let segments_end = segments.all.iter().map(|segment| (segment.offset, segment.file_size));
    let sections_end = sections.all.iter().filter_map(SectionHeader::file_range);
    let parts = segments_end.chain(sections_end).filter(|(start, len)| *start < size && *len > 0);
    let end = parts
        .map(|(start, len)| start.saturating_add(len).min(size))
        .chain([header.layout.header_size().into(), segments.table_end, sections.table_end])
        .max()
        .unwrap_or(size);
    size.checked_sub(end).filter(|left| *left > 0).map(|size| Overlay { offset: end, size })
}
