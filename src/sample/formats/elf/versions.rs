//! The version table of an ELF file (LSB, "Symbol Versioning"): the library that each symbol is expected in.

use super::dynamic::Dynamic;
use crate::sample::bytes::Bytes;
use crate::sample::formats::layout::{Layout, Region};
use crate::sample::formats::listing::FileLimits;
use object::elf;
use std::collections::HashMap;

/// Versions of libraries that are read.
const MAX_VERSIONS: usize = 1 << 16;
/// The bit of a version index that hides a symbol.
const HIDDEN: u16 = 0x8000;

/// Which library each version is of.
#[derive(Clone, Debug, Default)]
pub struct Versions<'a> {
    /// The version of each symbol.
    table: Option<Region>,
    libraries: HashMap<u16, &'a [u8]>,
}

impl<'a> Versions<'a> {
    /// Reads `DT_VERNEED`. What cannot be read is left out: a symbol is also bound without a version.
    pub fn read(
        bytes: Bytes<'a>,
        layout: Layout,
        dynamic: &Dynamic<'_>,
        texts: Region,
        limits: &mut FileLimits,
    ) -> Self {
        let mut libraries = HashMap::new();
        let mut next_file = dynamic.region(elf::DT_VERNEED).map(|region| region.offset);
        let files = dynamic.value(elf::DT_VERNEEDNUM).unwrap_or(0).min(MAX_VERSIONS as u64);
        let u32 = |at: u64| bytes.u32(at, layout.endian);
        let mut left = MAX_VERSIONS;
        for _ in 0..files {
            let Some(file) = next_file else { break };
            let (Some(name), Some(first), Some(step)) = (u32(file + 4), u32(file + 8), u32(file + 12)) else {
                break;
            };
            let name = texts.text(bytes, name.into(), limits);
            let mut version = file + u64::from(first);
            while let (Some(index), Some(step)) = (bytes.u16(version + 6, layout.endian), u32(version + 12)) {
                if let Some(name) = name {
                    libraries.entry(index & !HIDDEN).or_insert(name);
                }
                left = left.saturating_sub(1);
                if step == 0 || left == 0 {
                    break;
                }
                version += u64::from(step);
            }
            if step == 0 || left == 0 {
                break;
            }
            next_file = Some(file + u64::from(step));
        }
        Self { table: dynamic.region(elf::DT_VERSYM), libraries }
    }

    /// The library that the symbol with this index is expected in, if the file says it.
    pub fn library(&self, bytes: Bytes<'a>, layout: Layout, symbol: u64) -> Option<&'a [u8]> {
        let at = self.table?.offset.checked_add(symbol.checked_mul(2)?)?;
        let version = bytes.u16(at, layout.endian)? & !HIDDEN;
        // The first two are no versions: local and global.
        self.libraries.get(&version).filter(|_| version > 1).copied()
    }
}
