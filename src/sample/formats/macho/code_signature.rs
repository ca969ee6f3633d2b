//! The code signature of a Mach-O program (Apple's `kern/cs_blobs.h`). It is found, not verified.

use super::load_commands::{Commands, INCOMPLETE};
use crate::sample::bytes::{Bytes, Endian};
use crate::sample::facts::{Fact, Notes};
use crate::sample::formats::layout::Region;

/// The magic number of a signature with all its parts.
const SUPER_BLOB: u32 = 0xfade_0cc0;
/// Parts that a signature has, at most: far more than there are kinds.
const MAX_PARTS: u64 = 4096;

/// Whether `LC_CODE_SIGNATURE` refers to a part of the file.
pub fn signed(bytes: Bytes<'_>, commands: &Commands<'_>, notes: &mut Notes) -> Fact<bool> {
    let Some(region) = commands.signature else {
        if commands.incomplete {
            notes.problem("signed", INCOMPLETE);
            return None;
        }
        return Some(false);
    };
    if region.within(bytes.size()) != Some(region) {
        notes.problem("signed", "the code signature is outside of the file");
        return Some(false);
    }
    if !is_super_blob(bytes, region) {
        notes.problem("signed", "the code signature is not one that a system accepts");
    }
    Some(true)
}

fn is_super_blob(bytes: Bytes<'_>, region: Region) -> bool {
    let u32 = |at| bytes.u32(region.offset + at, Endian::Big).map(u64::from);
    let (Some(magic), Some(size), Some(count)) = (u32(0), u32(4), u32(8)) else { return false };
    magic == u64::from(SUPER_BLOB) && size <= region.size && count <= MAX_PARTS && 12 + count * 8 <= size
}
