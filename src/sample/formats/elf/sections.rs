//! The sections of an ELF file as facts.

use super::section_table::{SectionHeader, SectionTable};
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Access, MAX_SECTIONS, Notes, Section};
use crate::sample::formats::layout::Region;
use crate::sample::formats::listing::{FileLimits, Listing, SECTION_COST};
use object::elf;

/// Lists the sections. The first section header is none, and not listed.
pub fn sections(
    bytes: Bytes<'_>,
    table: &SectionTable,
    limits: &mut FileLimits,
    notes: &mut Notes,
) -> Vec<Section> {
    let mut list = Listing::new(MAX_SECTIONS);
    let (mut nameless, mut outside, mut unmeasured) = (0_usize, 0_usize, 0_usize);
    for (index, header) in table.all.iter().enumerate() {
        if index == 0 && header.kind == elf::SHT_NULL {
            continue;
        }
        let name = table.name(bytes, header, limits);
        let said = header.content();
        let inside = said.and_then(|content| content.listed_within(bytes.size()));
        nameless += usize::from(name.is_none());
        outside += usize::from(said != inside);
        let name = name.unwrap_or_default();
        list.add(index, SECTION_COST + name.len(), limits, |limits| {
            let content = inside.and_then(|inside| bytes.get(inside.offset, inside.size));
            let entropy = content.and_then(|content| limits.entropy.measure(content));
            unmeasured += usize::from(inside.is_some_and(|inside| inside.size > 0) && entropy.is_none());
            section(header, name, inside, entropy)
        });
    }
    for (count, what) in [
        (nameless, "have a name that is outside of the table of names"),
        (outside, "reach beyond the end of the file"),
        (unmeasured, "are not measured: more bytes than are read, or the same again and again"),
    ] {
        if count > 0 {
            notes.problem("sections", format!("{count} {what}"));
        }
    }
    list.finish("sections", notes)
}

fn section(header: &SectionHeader, name: &[u8], inside: Option<Region>, entropy: Option<f32>) -> Section {
    let flag = |flag: u32| header.flags & u64::from(flag) != 0;
    Section {
        name: String::from_utf8_lossy(name).into_owned(),
        offset: inside.map(|inside| inside.offset),
        size: inside.map_or(0, |inside| inside.size),
        address: header.address,
        virtual_size: header.size,
        access: Access {
            read: flag(elf::SHF_ALLOC),
            write: flag(elf::SHF_WRITE),
            execute: flag(elf::SHF_EXECINSTR),
        },
        entropy,
    }
}
