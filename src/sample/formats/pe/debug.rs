//! The debug directory of a PE.

use super::headers::Optional;
use super::image::Image;
use object::pe;

/// Entries that are read.
const MAX_ENTRIES: u32 = 64;
/// The size of one entry.
const ENTRY: u64 = 28;
/// The type of an entry that says: the build is reproducible, and times in headers are a hash.
const REPRODUCIBLE: u32 = 16;

/// One entry.
#[derive(Clone, Copy, Debug)]
pub struct DebugEntry {
    /// Its type.
    kind: u32,
    /// The size of its data.
    pub size: u32,
    /// The offset of its data in the file.
    pub offset: u32,
}

impl DebugEntry {
    /// Whether it says that the link time is a hash.
    pub fn is_reproducible(&self) -> bool {
        self.kind == REPRODUCIBLE
    }
}

/// Reads the debug directory.
pub fn read_debug(image: &Image<'_>, optional: &Optional) -> Vec<DebugEntry> {
    let Some(directory) = optional.directory(pe::IMAGE_DIRECTORY_ENTRY_DEBUG) else {
        return Vec::new();
    };
    let count = (directory.size / ENTRY as u32).min(MAX_ENTRIES);
    let entry = |number: u32| {
        let at = u64::from(directory.rva) + u64::from(number) * ENTRY;
        Some(DebugEntry { kind: image.u32(at + 12)?, size: image.u32(at + 16)?, offset: image.u32(at + 24)? })
    };
    (0..count).map_while(entry).collect()
}
