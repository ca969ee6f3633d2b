//! The header view: which functions, libraries, exports and sections a program names. It says what a program can do, also
//! where its text is encrypted.

use super::idf::Idf;
use super::terms::Terms;
use crate::sample::facts::{Content, ImportedSymbol, Program};
use std::collections::BTreeSet;

/// Terms that are kept of a file's header.
pub const HEADER_TERMS: usize = 192;
/// Fewer terms than these say too little: a packed program imports two functions.
const LEAST: usize = 6;
/// Power of the inverse document frequency. Chosen on validation families among 1 to 3.
const POWER: i32 = 2;

/// The header view of what is in a file. `None` if it has no header, or one that names too little.
pub fn header_terms(content: &Content, idf: &Idf) -> Option<Terms> {
    let bins: BTreeSet<u32> =
        content.programs().flat_map(|program| hashes(program)).map(|hash| idf.bin(hash)).collect();
    let weighted = bins.into_iter().map(|bin| (bin, idf.weight(bin).powi(POWER)));
    Terms::heaviest(weighted.collect(), LEAST, HEADER_TERMS)
}

/// Hashes of everything that a program's header names; some occur more than once.
pub fn hashes(program: &Program) -> Vec<u64> {
    let mut hashes = Vec::new();
    for library in program.libraries.iter().flatten() {
        hashes.push(hash(b'l', &[&file_name(library).to_ascii_lowercase()]));
    }
    for import in program.imports.iter().flatten() {
        hashes.push(match &import.symbol {
            ImportedSymbol::Name(name) => hash(b'i', &[symbol(name)]),
            ImportedSymbol::Ordinal(ordinal) => {
                let library = import.library.as_deref().map(file_name).unwrap_or_default();
                hash(b'#', &[&library.to_ascii_lowercase(), &ordinal.to_string()])
            }
        });
    }
    for export in program.exports.iter().flatten() {
        hashes.push(hash(b'e', &[symbol(export)]));
    }
    for section in program.sections.iter().flatten() {
        hashes.push(hash(b's', &[&section.name]));
    }
    hashes
}

/// A library without its folder.
fn file_name(library: &str) -> &str {
    library.rsplit(['/', '\\']).next().unwrap_or(library)
}

/// A symbol as it is written in the source: without a version (`memcpy@GLIBC_2.14`, `_f@8`) and leading underscores, which
/// differ between systems.
fn symbol(name: &str) -> &str {
    let start = name.trim_start_matches('_');
    match start.find('@') {
        Some(at) if at > 0 => &start[..at],
        _ => start,
    }
}

/// FNV-1a of a kind of name and its parts, mixed so that the upper bits depend on all of them.
fn hash(kind: u8, parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    add(kind);
    for part in parts {
        part.bytes().for_each(&mut add);
        add(0);
    }
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
