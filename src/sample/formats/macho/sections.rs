//! The sections of a Mach-O program as facts.

use super::load_commands::Commands;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{MAX_SECTIONS, Notes, Section};
use crate::sample::formats::layout::Region;
use crate::sample::formats::listing::{FileLimits, Listing, SECTION_COST, SPENT};

/// The work of reading a section header.
const HEADER: u64 = 80;

/// The sections of all segments as facts, named `segment,section`.
pub fn sections(
    bytes: Bytes<'_>,
    commands: &Commands<'_>,
    limits: &mut FileLimits,
    notes: &mut Notes,
) -> Vec<Section> {
    let mut list = Listing::new(MAX_SECTIONS);
    let (mut outside, mut unmeasured) = (0_usize, 0_usize);
    for (number, segment) in commands.segments.iter().enumerate() {
        if segment.is_cut() {
            notes.problem("sections", "a segment is said to have more than its command holds");
        }
        for (index, header) in segment.sections(bytes).enumerate() {
            if !limits.work(HEADER) {
                break;
            }
            let said = header.content(segment);
            let inside = said.and_then(|content| content.listed_within(bytes.size()));
            outside += usize::from(said != inside);
            let name = header.full_name();
            list.add((number, index), SECTION_COST + name.len(), limits, |limits| {
                let content = inside.and_then(|inside| bytes.get(inside.offset, inside.size));
                let entropy = content.and_then(|content| limits.entropy.measure(content));
                unmeasured += usize::from(inside.is_some_and(|inside| inside.size > 0) && entropy.is_none());
                Section {
                    name,
                    offset: inside.map(|inside| inside.offset),
                    size: inside.map_or(0, |inside| inside.size),
                    address: header.address,
                    virtual_size: header.size,
                    access: segment.access,
                    entropy,
                }
            });
        }
    }
    for (count, what) in [
        (outside, "reach beyond the end of the file"),
        (unmeasured, "are not measured: more bytes than are read, or the same again and again"),
    ] {
        if count > 0 {
            notes.problem("sections", format!("{count} {what}"));
        }
    }
    if limits.is_spent() {
        notes.problem("sections", SPENT);
    }
    list.finish("sections", notes)
}

/// The end of the last section and of the relocations of sections; `None` beyond the limit on the work.
pub fn sections_end(bytes: Bytes<'_>, commands: &Commands<'_>, limits: &mut FileLimits) -> Option<u64> {
    let mut end = 0;
    for segment in &commands.segments {
        for section in segment.sections(bytes) {
            if !limits.work(HEADER) {
                return None;
            }
            let parts = [section.content(segment), Some(section.relocations)];
            let ends =
                parts.into_iter().flatten().filter_map(|part| part.within(bytes.size())).map(Region::end);
            end = ends.max().unwrap_or(0).max(end);
        }
    }
    Some(end)
}
