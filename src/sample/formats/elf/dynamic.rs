//! The dynamic section of an ELF file: what the dynamic loader reads to bind a program to its libraries.
//!
//! The loader finds it by the program header `PT_DYNAMIC` and all tables by their addresses; it looks neither at the
//! size in that header nor at section headers. Section headers are the second source, for files without usable
//! program headers.

use super::header::Header;
use super::section_table::{SectionHeader, SectionTable};
use super::segments::Segments;
use crate::sample::bytes::Bytes;
use crate::sample::facts::Notes;
use crate::sample::formats::layout::Region;
use object::elf;

/// Entries of the dynamic section that are read.
const MAX_ENTRIES: u64 = 1 << 16;

/// The entries of the dynamic section, and where its tables are.
#[derive(Clone, Debug)]
pub struct Dynamic<'a> {
    entries: Vec<(u64, u64)>,
    segments: &'a Segments,
    sections: &'a SectionTable,
}

/// Whether a file has a dynamic section.
pub enum Found<'a> {
    /// It has none: nothing is bound.
    Nothing,
    /// It has one that cannot be read.
    Unreadable,
    /// It has one.
    Dynamic(Dynamic<'a>),
}

impl<'a> Dynamic<'a> {
    /// Finds and reads the dynamic section.
    pub fn find(
        bytes: Bytes<'_>,
        header: &Header,
        segments: Option<&'a Segments>,
        sections: Option<&'a SectionTable>,
        notes: &mut Notes,
    ) -> Found<'a> {
        static NO_SEGMENTS: Segments = Segments { all: Vec::new(), table_end: 0 };
        static NO_SECTIONS: SectionTable = SectionTable::NONE;
        let by_section = sections.and_then(|table| {
            table
                .first(elf::SHT_DYNAMIC)
                .or_else(|| table.without_bytes_at(segments?.first(elf::PT_DYNAMIC)?.address))
        });
        let by_segment = segments.and_then(|segments| segments.first(elf::PT_DYNAMIC));
        let mut starts = Vec::new();
        if let (Some(segments), Some(dynamic)) = (segments, by_segment) {
            let loaded = segments.loaded_at(dynamic.address);
            if loaded.is_some_and(|loaded| loaded.offset != dynamic.offset) && dynamic.file_size > 0 {
                notes.problem(
                    "libraries",
                    "the offset and the address of the dynamic section are two places; the loader reads by the address",
                );
            }
            starts.extend(loaded);
            starts
                .extend(Some(Region::new(dynamic.offset, dynamic.file_size)).filter(|there| there.size > 0));
        }
        starts.extend(by_section.and_then(SectionHeader::content));
        let make = |entries| Dynamic {
            entries,
            segments: segments.unwrap_or(&NO_SEGMENTS),
            sections: sections.unwrap_or(&NO_SECTIONS),
        };
        for region in starts {
            if let Some(entries) = read_entries(bytes, header, region) {
                return Found::Dynamic(make(entries));
            }
        }
        let empty = by_segment.is_none_or(|dynamic| dynamic.file_size == 0);
        match (by_segment, by_section, segments, sections) {
            (None, None, Some(segments), _) if !segments.all.is_empty() => Found::Nothing,
            // A file without segments is not loaded.
            (None, None, _, Some(_)) => Found::Nothing,
            // A file of debug information has the headers of its program without what they describe.
            (_, Some(section), ..) if empty && section.kind == elf::SHT_NOBITS => Found::Nothing,
            _ => Found::Unreadable,
        }
    }

    /// The value of the last entry with a tag: the loader keeps that one.
    pub fn value(&self, tag: u32) -> Option<u64> {
        self.entries.iter().rev().find(|entry| entry.0 == u64::from(tag)).map(|entry| entry.1)
    }

    /// The values of all entries with a tag, in their order.
    pub fn values(&self, tag: u32) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().filter(move |entry| entry.0 == u64::from(tag)).map(|entry| entry.1)
    }

    /// The part of the file from the address that an entry holds to the end of its segment.
    pub fn region(&self, tag: u32) -> Option<Region> {
        let address = self.value(tag)?;
        self.loaded_at(address).or_else(|| {
            // No segment holds the address: the section at it does.
            let at = self.sections.all.iter().find(|section| section.address == address && address > 0)?;
            at.content()
        })
    }

    fn loaded_at(&self, address: u64) -> Option<Region> {
        self.segments.loaded_at(address)
    }

    /// The table of texts: of names of libraries and symbols.
    pub fn texts(&self) -> Option<Region> {
        self.region(elf::DT_STRTAB).or_else(|| {
            let section = [elf::SHT_DYNAMIC, elf::SHT_DYNSYM];
            let section = section.iter().find_map(|kind| self.sections.first(*kind))?;
            self.sections.linked(section)?.content()
        })
    }

    /// How many bytes are between a table and the next one, by their addresses. Linkers place no other table between.
    pub fn room(&self, tag: u32) -> Option<u64> {
        const TABLES: [u32; 16] = [
            elf::DT_HASH,
            elf::DT_GNU_HASH,
            elf::DT_STRTAB,
            elf::DT_SYMTAB,
            elf::DT_VERSYM,
            elf::DT_VERNEED,
            elf::DT_VERDEF,
            elf::DT_RELA,
            elf::DT_REL,
            elf::DT_JMPREL,
            elf::DT_INIT,
            elf::DT_FINI,
            elf::DT_INIT_ARRAY,
            elf::DT_FINI_ARRAY,
            elf::DT_PREINIT_ARRAY,
            elf::DT_PLTGOT,
        ];
        let start = self.value(tag)?;
        let others = TABLES.iter().filter_map(|tag| self.value(*tag));
        let next = others.filter(|address| *address > start).min()?;
        self.loaded_at(start)?.size.min(next - start).into()
    }
}

/// Reads entries up to the one that ends them; `None` if there is no entry.
fn read_entries(bytes: Bytes<'_>, header: &Header, region: Region) -> Option<Vec<(u64, u64)>> {
    let layout = header.layout;
    let size = layout.either(8, 16);
    let mut entries = Vec::new();
    for index in 0..(region.size / size).min(MAX_ENTRIES) {
        let at = region.offset.checked_add(index * size)?;
        let Some(tag) = layout.word(bytes, at) else { break };
        if tag == u64::from(elf::DT_NULL) {
            return Some(entries);
        }
        let Some(value) = layout.word(bytes, at + size / 2) else { break };
        entries.push((tag, value));
    }
    // Without an end, rubbish would be read as entries.
    let known = entries.iter().any(|entry| entry.0 == u64::from(elf::DT_STRTAB));
    known.then_some(entries)
}
