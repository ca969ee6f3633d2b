//! Where an ELF file ends by its own headers. What follows is the overlay.

use super::header::Header;
use super::section_table::{SectionHeader, SectionTable};
use super::segments::Segments;
use super::sizes;
use crate::sample::facts::Overlay;
use crate::sample::formats::layout::Region;

/// Bytes after the segments, the sections and the tables of both, in a file of `size` bytes. A part that begins
/// outside of the file does not count; one that ends outside reaches to the end of the file.
pub fn overlay(header: &Header, segments: &Segments, sections: &SectionTable, size: u64) -> Option<Overlay> {
    let of_segments = segments.all.iter().map(|segment| Region::new(segment.offset, segment.file_size));
    let of_sections = sections.all.iter().filter_map(SectionHeader::content);
    let parts = of_segments.chain(of_sections).filter_map(|part| part.within(size));
    let end = parts
        .map(Region::end)
        .chain([sizes::header(header.layout).into(), segments.table_end, sections.table_end])
        .max()
        .unwrap_or(size);
    size.checked_sub(end).filter(|left| *left > 0).map(|size| Overlay { offset: end, size })
}
