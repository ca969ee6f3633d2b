//! A shared library that is packed with UPX. The dynamic linker reads its tables and relocates its data before the stub
//! runs, so only code is compressed: what is before the code, and what is writable, are in the file as they are.
//!
//! The stub takes the place of the function of `DT_INIT`, or of the first one in an array of functions, and keeps what was
//! there.

use super::elf_blocks::{Blocks, damaged, put};
use super::elf_headers::ElfHeaders;
use super::unpacked::UnpackError;
use crate::sample::bytes::{Bytes, Endian};

const DT_NULL: u64 = 0;
const DT_SYMTAB: u64 = 6;
const DT_INIT: u64 = 12;
const DT_INIT_ARRAY: u64 = 25;
const DT_PREINIT_ARRAY: u64 = 32;
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

/// Restores how the library is started; false if that is not found. `stub`: the offset of the stub's numbers, the third
/// of which is the address of the first function.
pub fn restore_start(
    bytes: Bytes<'_>,
    headers: &ElfHeaders,
    original: &ElfHeaders,
    stub: u64,
    image: &mut Vec<u8>,
) -> bool {
    let number = |index: u64| bytes.u32(stub.checked_add(4 * index)?, headers.layout.endian);
    let function = number(0).and_then(|first| number(2 + u64::from(first == 0))).map(u64::from);
    let changes = function.and_then(|function| {
        let library = Library { view: Bytes::new(image, image.len() as u64), headers, original };
        library.init(function).or_else(|| library.init_array(function))
    });
    let Some(changes) = changes else { return false };
    changes.iter().all(|(at, bytes)| put(image, *at, bytes).is_ok())
}

/// Bytes of the library that are replaced: an offset and the bytes.
type Changes = Vec<(u64, Vec<u8>)>;

/// The library as it is restored so far.
struct Library<'a> {
    view: Bytes<'a>,
    headers: &'a ElfHeaders,
    original: &'a ElfHeaders,
}

impl Library<'_> {
    /// The size of an address.
    fn word(&self) -> u64 {
        self.headers.layout.either(4, 8)
    }

    fn read(&self, at: u64) -> Option<u64> {
        self.headers.layout.word(self.view, at)
    }

    fn bytes(&self, value: u64) -> Vec<u8> {
        match (self.headers.layout.endian, self.headers.layout.wide) {
            (Endian::Little, true) => value.to_le_bytes().to_vec(),
            (Endian::Big, true) => value.to_be_bytes().to_vec(),
            (Endian::Little, false) => (value as u32).to_le_bytes().to_vec(),
            (Endian::Big, false) => (value as u32).to_be_bytes().to_vec(),
        }
    }

    /// The offset of the first entry of the dynamic section with this tag.
    fn entry(&self, tag: u64) -> Option<u64> {
        let dynamic = self.original.segments.iter().find(|segment| segment.dynamic)?;
        let size = 2 * self.word();
        let at = |index: u64| dynamic.offset.checked_add(index * size);
        let index = (0..(dynamic.size / size).min(MAX_ENTRIES))
            .find(|index| at(*index).and_then(|at| self.read(at)) == Some(tag))?;
        at(index)
    }

    fn value(&self, tag: u64) -> Option<u64> {
        self.read(self.entry(tag)?.checked_add(self.word())?)
    }

    /// `DT_INIT` has the address of the stub.
    fn init(&self, function: u64) -> Option<Changes> {
        let at = self.entry(DT_INIT)?;
        // Without a function of its own, the entry was an empty one.
        let tag = if function == 0 { 0 } else { DT_INIT };
        Some(vec![(at, [self.bytes(tag), self.bytes(function)].concat())])
    }

    /// Without `DT_INIT`, the first function of an array is the stub. The relocation of its slot is kept in the first
    /// symbol, which is empty otherwise, and the value of `DT_NULL` is the address of the changed relocation.
    fn init_array(&self, function: u64) -> Option<Changes> {
        let word = self.word();
        let null = self.entry(DT_NULL)?;
        let relocation = self.original.offset(self.read(null.checked_add(word)?)?)?;
        let kept = self.original.offset(self.value(DT_SYMTAB)?)?;
        // Place and kind, and of 64 bits what is added.
        let (place, size) = (self.read(kept)?, self.headers.layout.either(2 * word, 3 * word));
        let slot = self.original.offset(place)?;
        let arrays = [self.value(DT_PREINIT_ARRAY), self.value(DT_INIT_ARRAY)];
        if place == 0 || self.read(relocation)? != place || !arrays.contains(&Some(place)) {
            return None;
        }
        let original = self.view.get(kept, size)?.to_vec();
        // What is added is in the slot too, as linkers leave it.
        let added = if self.headers.layout.wide { self.read(kept.checked_add(2 * word)?)? } else { function };
        Some(vec![
            (relocation, original),
            (kept, vec![0; size as usize]),
            (slot, self.bytes(added)),
            (null.checked_add(word)?, vec![0; word as usize]),
        ])
    }
}
