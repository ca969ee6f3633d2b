//! A shared library that is packed with UPX. The dynamic linker reads its tables and relocates its data before the stub
//! runs, so only code is compressed: what is before the code, and what is writable, are in the file as they are.
//!
//! The stub takes the place of the function of `DT_INIT` and keeps the address of the original one.

use super::elf_blocks::{Blocks, damaged, put};
use super::elf_headers::ElfHeaders;
use super::unpacked::UnpackError;
use crate::sample::bytes::{Bytes, Endian};

const DT_INIT: u64 = 12;
/// Entries of a dynamic section that are read.
const MAX_ENTRIES: u64 = 4096;

/// Restores the segments. `start`: the offset of the first block.
pub fn restore_segments(
    bytes: Bytes<'_>,
    blocks: &mut Blocks<'_>,
    headers: &ElfHeaders,
    original: &ElfHeaders,
    start: u64,
    image: &mut Vec<u8>,
) -> Result<(), UnpackError> {
    let outside = |what: &str| damaged(format!("expected {what}, found the end of the file"));
    // All before the blocks' information is as it was, except for the headers.
    let code = start.saturating_sub(24);
    let first = blocks.next()?;
    put(image, 0, &first)?;
    let head = first.len() as u64;
    if head < code {
        let tables = bytes.get(head, code - head).ok_or_else(|| outside("the tables of a library"))?;
        put(image, head, tables)?;
    }
    let done = head.max(code);
    for (index, segment) in original.loaded().filter(|segment| !segment.write).enumerate() {
        if index == 0 {
            let left = segment.offset.saturating_add(segment.size).saturating_sub(done);
            blocks.extent(image, done, left)?;
        } else {
            blocks.extent(image, segment.offset, segment.size)?;
        }
    }
    // Writable segments, in the same order in both tables.
    for (now, then) in headers.segments.iter().zip(&original.segments) {
        if then.loaded && then.write {
            let data = bytes.get(now.offset, then.size).ok_or_else(|| outside("a writable segment"))?;
            put(image, then.offset, data)?;
        }
    }
    Ok(())
}

/// Restores the address of the function that starts the library; false if it is not found. `stub`: the offset of the
/// stub's numbers, the third of which is the address.
pub fn restore_start(
    bytes: Bytes<'_>,
    headers: &ElfHeaders,
    original: &ElfHeaders,
    stub: u64,
    image: &mut Vec<u8>,
) -> bool {
    let find = || {
        let number = |index: u64| bytes.u32(stub.checked_add(4 * index)?, headers.endian);
        let skipped = u64::from(number(0)? == 0);
        let address = u64::from(number(2 + skipped)?);
        let dynamic = original.segments.iter().find(|segment| segment.dynamic)?;
        let (word, wide) = if headers.wide { (8_u64, true) } else { (4, false) };
        let view = Bytes::new(image, image.len() as u64);
        let read = |at: u64| {
            if wide { view.u64(at, headers.endian) } else { view.u32(at, headers.endian).map(u64::from) }
        };
        let entries = (dynamic.size / (2 * word)).min(MAX_ENTRIES);
        let at = |index: u64| dynamic.offset.checked_add(index * 2 * word);
        let index = (0..entries).find(|index| at(*index).and_then(read) == Some(DT_INIT))?;
        Some((at(index)?, address, word))
    };
    let Some((at, address, word)) = find() else { return false };
    let number = |value: u64| match (headers.endian, word) {
        (Endian::Little, 8) => value.to_le_bytes().to_vec(),
        (Endian::Big, 8) => value.to_be_bytes().to_vec(),
        (Endian::Little, _) => (value as u32).to_le_bytes().to_vec(),
        (Endian::Big, _) => (value as u32).to_be_bytes().to_vec(),
    };
    // Without a function of its own, the library's entry was an empty one.
    let entry =
        if address == 0 { vec![0; 2 * word as usize] } else { [number(DT_INIT), number(address)].concat() };
    put(image, at, &entry).is_ok()
}
