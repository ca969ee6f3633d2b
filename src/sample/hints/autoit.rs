//! AutoIt: a compiled script, as a resource or appended.

use super::layout::{Layout, occurrences};

/// The identifier before a script.
const MARK: [u8; 16] =
    [0xa3, 0x48, 0x4b, 0xbe, 0x98, 0x6c, 0x4a, 0xa9, 0x99, 0x4c, 0x53, 0x0a, 0x86, 0xd6, 0x48, 0x7d];

/// The identifier, followed by the version of the script's format.
pub fn find(layout: &Layout<'_>) -> Option<String> {
    let resources = layout.resources();
    [Some(layout.appended()), resources].into_iter().flatten().find_map(|(offset, bytes)| {
        let script = |at: &usize| {
            let version = bytes.get(at + MARK.len()..).unwrap_or_default();
            version.starts_with(b"AU3!EA0")
        };
        let at = occurrences(bytes, &MARK).find(script)?;
        Some(format!("script at offset {}", offset + at as u64))
    })
}
