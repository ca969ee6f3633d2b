//! Memory dumps: PE files as they are in the memory of a process, each section at its virtual address.
//!
//! The headers of a dump still give the offsets of the file that was loaded. A dump is recognised by its structure:
//! the tables that the directories name are at their RVA, and not where the offsets lead.

use super::headers::{Headers, Optional};
use super::image::{Image, Layout, Map};
use super::names::is_library_name;
use super::section_table::SectionHeader;
use crate::sample::bytes::Bytes;
use object::pe;

/// Import descriptors that are looked at.
const DESCRIPTORS: u64 = 4;
/// The longest name that counts as evidence.
const MAX_NAME: usize = 256;
/// The lowest RVA of a name that counts as evidence: not in the DOS header.
const MIN_NAME_RVA: u32 = 64;
/// The least number of zero bytes that say: nothing is here.
const MIN_GAP: u32 = 512;
/// The unit of memory that is dumped.
const PAGE: u64 = 4096;

/// Why a file is a memory dump; `None` if it is arranged as its section headers say.
pub fn recognise(bytes: Bytes<'_>, headers: &Headers, sections: &[SectionHeader]) -> Option<String> {
    let optional = headers.optional.as_ref().ok()?;
    let moved = |section: &&SectionHeader| {
        section.raw_range().is_some_and(|(offset, _)| offset != u64::from(section.virtual_address))
    };
    let moved: Vec<&SectionHeader> = sections.iter().filter(moved).collect();
    let within = |section: &&SectionHeader| u64::from(section.virtual_address) < bytes.size();
    if !moved.iter().any(within) {
        return None;
    }
    let image = |layout| Image::new(bytes, Map::new(headers, sections, layout, bytes.size()));
    let (file, memory) = (image(Layout::File), image(Layout::Memory));
    let (in_file, in_memory) = (tables(&file, optional), tables(&memory, optional));
    if !in_memory.is_empty() && in_memory.len() > 2 * in_file.len() {
        return Some(format!(
            "at virtual addresses, and not where the section headers lead: {}",
            in_memory.join(", ")
        ));
    }
    // Without tables: nothing is where the headers place the first section, and the whole image is in the file, with code
    // at the entry point.
    let entry = u64::from(optional.entry.filter(|entry| *entry > 0)?);
    let first = moved.iter().min_by_key(|section| section.raw_offset)?;
    let lowest = sections.iter().map(|section| section.virtual_address).min()?;
    let gap = lowest.checked_sub(first.raw_offset)?.min(first.raw_size);
    let claimed = bytes.get(u64::from(first.raw_offset), u64::from(gap))?;
    let dump = in_file.is_empty()
        && gap >= MIN_GAP
        && is_zero(claimed)
        && !is_zero(&memory.array::<16>(entry)?)
        && bytes.size() > u64::from(optional.image_size).saturating_sub(PAGE)
        && sections.iter().all(|section| u64::from(section.virtual_address) < bytes.size());
    dump.then(|| {
        "the code is at its virtual address, and nothing is where the section headers lead".to_owned()
    })
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// The tables that are plausible in this arrangement.
fn tables(image: &Image<'_>, optional: &Optional) -> Vec<&'static str> {
    type Check = fn(&Image<'_>, &Optional, u64, u32) -> Option<bool>;
    let checks: [(usize, &'static str, Check); 9] = [
        (pe::IMAGE_DIRECTORY_ENTRY_IMPORT, "imports", has_imports),
        (pe::IMAGE_DIRECTORY_ENTRY_EXPORT, "exports", |image, _, at, _| {
            has_library_name(image, image.u32(at + 12)?)
        }),
        (pe::IMAGE_DIRECTORY_ENTRY_RESOURCE, "resources", |image, _, at, _| {
            let count = u32::from(image.u16(at + 12)?) + u32::from(image.u16(at + 14)?);
            // The type of the first resource, and a folder of resources of that type.
            let folder = image.u32(at + 20)?;
            Some(
                image.u32(at)? == 0
                    && (1..256).contains(&count)
                    && (0x8000_0001..0x8010_0000).contains(&folder),
            )
        }),
        (pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION, "unwind information", |image, optional, at, _| {
            let [begin, end, next] = [image.u32(at)?, image.u32(at + 4)?, image.u32(at + 12)?];
            let x86_64 = begin > 0 && begin < end && end <= next && next < optional.image_size;
            Some(optional.wide && x86_64)
        }),
        (pe::IMAGE_DIRECTORY_ENTRY_BASERELOC, "relocations", |image, optional, at, size| {
            let (page, len) = (image.u32(at)?, image.u32(at + 4)?);
            Some(
                page % 4096 == 0
                    && page > 0
                    && page < optional.image_size
                    && (9..=size.min(8200)).contains(&len)
                    && len % 2 == 0,
            )
        }),
        (pe::IMAGE_DIRECTORY_ENTRY_DEBUG, "debug information", |image, _, at, _| {
            Some(image.u32(at)? == 0 && (1..=20).contains(&image.u32(at + 12)?))
        }),
        (pe::IMAGE_DIRECTORY_ENTRY_TLS, "thread-local storage", |image, optional, at, _| {
            let index = if optional.wide { image.u64(at + 16)? } else { u64::from(image.u32(at + 8)?) };
            Some(optional.rva_of(index).is_some_and(|rva| rva > 0))
        }),
        (pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG, "load configuration", |image, _, at, _| {
            Some((0x40..0x400).contains(&image.u32(at)?) && image.u32(at)? % 4 == 0)
        }),
        (pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR, "CLR header", |image, _, at, _| {
            Some(image.u32(at)? == 72 && image.array(u64::from(image.u32(at + 8)?))? == *b"BSJB")
        }),
    ];
    let mut found = Vec::new();
    for (number, name, check) in checks {
        let Some(directory) = optional.directory(number) else { continue };
        let at = u64::from(directory.rva);
        if check(image, optional, at, directory.size) == Some(true) {
            found.push(name);
        }
    }
    found
}

/// Whether the first libraries have names.
fn has_imports(image: &Image<'_>, _: &Optional, at: u64, _: u32) -> Option<bool> {
    for number in 0..DESCRIPTORS {
        let name = image.u32(at + number * 20 + 12)?;
        if name == 0 {
            break;
        }
        if has_library_name(image, name)? {
            return Some(true);
        }
    }
    Some(false)
}

/// Whether the file name of a library is at `rva`.
fn has_library_name(image: &Image<'_>, rva: u32) -> Option<bool> {
    let text = image.text(u64::from(rva), MAX_NAME)?;
    Some(rva >= MIN_NAME_RVA && is_library_name(text) && text.len() > 2 && text.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::super::test_pe::{OPTIONAL, TestPe};

    fn hints(pe: &TestPe) -> Vec<String> {
        pe.facts().notes.hints.into_iter().map(|hint| hint.name).collect()
    }

    #[test]
    fn the_facts_of_a_dump_are_read_at_virtual_addresses() {
        let file = TestPe::with_imports();
        assert_eq!(hints(&file), [""; 0]);
        let mut dump = file.in_memory();
        dump.put32(OPTIONAL + 56, dump.0.len() as u32);
        assert_eq!(hints(&dump), ["memory dump"]);
        let (was, is) = (file.facts(), dump.facts());
        assert_eq!((&was.libraries, &was.imports), (&is.libraries, &is.imports));
        assert_eq!(is.sections.as_ref().unwrap()[0].offset, Some(0x1000));
        assert_eq!((is.entry, is.overlay, is.signed), (was.entry, Some(None), Some(false)));
        // The addresses of the functions, and a certificate that was not loaded.
        dump.put(0x1100, &[0x77; 8]).put(0x1120, &[0x77; 8]).directory(4, 0x5000, 100);
        let is = dump.facts();
        assert_eq!((is.imports.as_ref().map(Vec::len), is.signed), (Some(1), None));
        dump.put(0x1000, &[0; 0x400]);
        assert_eq!((hints(&dump), dump.facts().imports), (vec!["memory dump".to_owned()], None));
    }
}
