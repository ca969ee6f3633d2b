//! Puts a PE together again as a file, from its original headers and its decompressed sections.

use super::budget::MAX_UNPACKED;
use super::pe_exports;
use super::pe_headers::{
    ADDRESSES, BOUND_IMPORTS, DEBUG, IMPORTS, PeHeaders, RELOCATIONS, RESOURCES, SECTION, directories,
};
use super::pe_imports;
use super::pe_memory::Memory;
use super::pe_original::Original;
use super::pe_relocations;
use super::pe_resources;
use crate::sample::bytes::Bytes;

/// The file; what could not be restored in it is added to `remarks`.
pub fn build(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    original: &Original,
    mut memory: Memory,
    remarks: &mut Vec<String>,
) -> Vec<u8> {
    let headers = &original.headers;
    let mut failed = |result: Result<(), String>| remarks.extend(result.err());
    if let Some((list, names)) = original.imports.filter(|_| headers.directories[IMPORTS].0 != 0) {
        failed(pe_imports::restore(bytes, packed, headers, &mut memory, list, names));
    }
    let mut directories = headers.directories;
    let (table_at, table_size) = directories[RELOCATIONS];
    let stripped = headers.relocations_stripped || packed.relocations_stripped;
    if stripped {
        directories[RELOCATIONS] = (0, 0);
    } else if table_at != 0 && table_size == 8 {
        // An empty table.
        memory.put(table_at, &[0, 0, 0, 0, 8, 0, 0, 0]);
    } else if let Some((list, flags)) = original.relocations.filter(|_| table_at != 0 && table_size != 0) {
        match pe_relocations::restore(&mut memory, list, flags, headers.wide, headers.image_base) {
            Ok(table) => {
                directories[RELOCATIONS].1 = table.len() as u32;
                if !memory.put(table_at, &table) {
                    failed(Err("the relocations are outside of the sections".to_owned()));
                }
            }
            Err(why) => failed(Err(why)),
        }
    }
    failed(pe_exports::restore(bytes, packed, headers, &mut memory));
    if directories[RESOURCES].1 != 0 && packed.directories[RESOURCES].1 != 0 {
        let icons = original.icons.unwrap_or_default();
        failed(pe_resources::restore(bytes, packed, headers, &mut memory, icons));
    }
    // They are of the original file, whose debug information and bound addresses are gone.
    for index in [DEBUG, BOUND_IMPORTS, ADDRESSES] {
        directories[index] = (0, 0);
    }
    let mut image = head(bytes, packed, headers, &memory, stripped, &directories);
    sections(headers, &memory, &mut image, remarks);
    // The overlay follows the last section of the packed file.
    let end = packed.sections.iter().map(|section| u64::from(section.offset) + u64::from(section.size)).max();
    let alignment = u64::from(packed.file_alignment).max(1);
    let overlay =
        end.and_then(|end| end.checked_next_multiple_of(alignment)).map_or(&[][..], |end| bytes.from(end));
    let room = MAX_UNPACKED.saturating_sub(image.len());
    image.extend_from_slice(overlay.get(..room).unwrap_or(overlay));
    image
}

/// The DOS header and stub, the headers and the table of sections.
fn head(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    headers: &PeHeaders,
    memory: &Memory,
    stripped: bool,
    all: &[(u32, u32); 16],
) -> Vec<u8> {
    let mut image = bytes.get(0, packed.at).unwrap_or_default().to_vec();
    let start = image.len();
    let size = headers.size() + SECTION * headers.sections.len() as u64;
    let of_original = usize::try_from(headers.at).ok().and_then(|at| memory.bytes.get(at..));
    image.extend(of_original.unwrap_or_default().iter().take(size as usize));
    let mut set = |at: u64, bytes: &[u8]| {
        let at = start + at as usize;
        if let Some(place) = image.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    for (index, (address, size)) in all.iter().enumerate() {
        let at = directories(headers.wide) + 8 * index as u64;
        set(at, &address.to_le_bytes());
        set(at + 4, &size.to_le_bytes());
    }
    // The size of the headers, and no checksum.
    let end = (start as u64 + size).next_multiple_of(u64::from(headers.file_alignment).clamp(1, 1 << 16));
    set(84, &(end as u32).to_le_bytes());
    set(88, &[0; 4]);
    if stripped {
        let flags = memory.bytes.get(headers.at as usize + 22).copied().unwrap_or_default();
        set(22, &[flags | 1]);
    }
    image
}

/// The sections, at their offsets.
fn sections(headers: &PeHeaders, memory: &Memory, image: &mut Vec<u8>, remarks: &mut Vec<String>) {
    let alignment = headers.file_alignment.clamp(1, 1 << 16);
    // Sections do not overlap, so that together they are no larger than what was decompressed.
    let mut left = MAX_UNPACKED;
    for section in headers.sections.iter().filter(|section| section.offset != 0) {
        let size = section.size.checked_next_multiple_of(alignment).unwrap_or(section.size) as usize;
        let (start, end) = (section.offset as usize, (section.offset as usize).saturating_add(size));
        if end > MAX_UNPACKED || size > left || start < headers.sections.len() * SECTION as usize {
            remarks.push("a section is outside of the unpacked file".to_owned());
            continue;
        }
        left -= size;
        if image.len() < end {
            image.resize(end, 0);
        }
        let data = memory.from(section.address);
        let data = data.get(..size).unwrap_or(data);
        if let Some(place) = image.get_mut(start..start + data.len()) {
            place.copy_from_slice(data);
        }
    }
}
