//! The facts of the sections of a PE.

use super::headers::Headers;
use super::image::Layout;
use super::section_table::SectionHeader;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Access, Notes, Section};
use crate::sample::formats::listing::{FileLimits, say_cut};
use object::pe;

/// The facts of the sections.
pub fn section_facts(
    bytes: Bytes<'_>,
    headers: &Headers,
    sections: &[SectionHeader],
    layout: Layout,
    limits: &mut FileLimits,
    notes: &mut Notes,
) -> Vec<Section> {
    let mut facts = Vec::with_capacity(sections.len());
    for section in sections {
        let trimmed = section.name.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let Some(name) = limits.keep(section.name.get(..trimmed).unwrap_or_default()) else {
            say_cut(notes, "sections", facts.len(), sections.len());
            break;
        };
        let (offset, size) = file_range(bytes, section, layout, &name, notes);
        let address = match &headers.optional {
            Ok(optional) => optional.address(section.virtual_address),
            Err(_) => u64::from(section.virtual_address),
        };
        facts.push(Section {
            offset,
            size,
            address,
            virtual_size: u64::from(section.virtual_size),
            access: Access {
                read: section.flags & pe::IMAGE_SCN_MEM_READ != 0,
                write: section.flags & pe::IMAGE_SCN_MEM_WRITE != 0,
                execute: section.flags & pe::IMAGE_SCN_MEM_EXECUTE != 0,
            },
            entropy: offset
                .and_then(|offset| bytes.get(offset, size))
                .and_then(|bytes| limits.entropy.measure(bytes)),
            name,
        });
    }
    facts
}

/// Offset and size of a section's bytes in the file, without what would be after its end.
fn file_range(
    bytes: Bytes<'_>,
    section: &SectionHeader,
    layout: Layout,
    name: &str,
    notes: &mut Notes,
) -> (Option<u64>, u64) {
    let wanted = match layout {
        Layout::File => section.raw_range(),
        Layout::Memory => Some((u64::from(section.virtual_address), section.memory_size())),
    };
    let Some((offset, size)) = wanted.filter(|(_, size)| *size > 0) else {
        return (None, 0);
    };
    let there = bytes.size().saturating_sub(offset).min(size);
    if there < size {
        let missing = size - there;
        notes.problem(
            "sections",
            format_args!("{missing} of {size} bytes of {name} are after the end of the file"),
        );
    }
    if there == 0 { (None, 0) } else { (Some(offset), there) }
}

#[cfg(test)]
mod tests {
    use super::super::test_pe::{NT, TestPe};

    #[test]
    fn what_is_after_the_end_of_the_file_is_cut_and_said() {
        let mut pe =
            TestPe::new(&[[0x1000, 0x1000, 0x400, 0x200], [0x2000, 0, 0x600, 0x200], [0x3000, 9, 0, 0]]);
        pe.0.truncate(0x500);
        let program = pe.facts();
        let facts: Vec<_> =
            program.sections.iter().flatten().map(|s| (s.offset, s.size, s.virtual_size)).collect();
        assert_eq!(facts, [(Some(0x400), 0x100, 0x1000), (None, 0, 0), (None, 0, 9)]);
        assert_eq!(program.notes.problems.len(), 2, "{:?}", program.notes.problems);
        assert_eq!(program.sections.unwrap()[0].entropy, Some(0.0));
    }

    #[test]
    fn a_table_that_ends_early_is_said() {
        let mut pe = TestPe::plain();
        pe.put(NT + 6, &[0xff, 0xff]);
        let program = pe.facts();
        assert_eq!(program.sections.unwrap().len(), 1);
        assert!(program.notes.problems[0].contains("1 of 65535"), "{:?}", program.notes.problems);
        // The section table is where the size of the optional header says.
        pe.put(NT + 6, &[1, 0]).put(NT + 20, &[0xff, 0xff]);
        assert_eq!(pe.facts().sections, None);
    }
}
