//! The header view: which functions, libraries, exports and sections a program names. It says what a program can do, also
//! where its text is encrypted.

use super::idf::Idf;
use super::terms::Terms;
use crate::sample::facts::{Content, ImportedSymbol, Program};
use std::collections::BTreeSet;

/// The number of bins that names are hashed to.
pub const HEADER_BINS: usize = 1 << 18;
/// Terms that are kept of a file's header.
pub const HEADER_TERMS: usize = 192;
/// Fewer libraries and functions than these say too little: a packed program imports two functions.
const LEAST: usize = 6;
/// Power of the inverse document frequency. Chosen on validation families among 1 to 3.
const POWER: i32 = 2;

/// Makes the header view of files.
#[derive(Clone, Debug)]
pub struct HeaderView {
    idf: Idf,
}

impl HeaderView {
    /// A view with these weights, by the bins of [`HeaderView::bins`].
    pub fn new(idf: Idf) -> Self {
        Self { idf }
    }

    /// The weights that it was made of.
    pub fn idf(&self) -> &Idf {
        &self.idf
    }

    /// The view of what is in a file. `None` if it has no header, or one that names too little.
    pub fn terms(&self, content: &Content) -> Option<Terms> {
        let mut hashes: Vec<u64> = content.programs().flat_map(names).collect();
        if hashes.len() < LEAST {
            return None;
        }
        hashes.extend(content.programs().flat_map(sections));
        let mut bins: Vec<u32> = hashes.into_iter().map(bin).collect();
        bins.sort_unstable();
        bins.dedup();
        let weighted = bins.into_iter().map(|bin| (bin, self.idf.weight(bin).powi(POWER)));
        Terms::heaviest(weighted.collect(), 1, HEADER_TERMS)
    }

    /// The bins, below [`HEADER_BINS`], of everything that the headers in a file name.
    pub fn bins(content: &Content) -> BTreeSet<u32> {
        let hashes =
            content.programs().flat_map(|program| names(program).into_iter().chain(sections(program)));
        hashes.map(bin).collect()
    }
}

/// The bin of a hash: its upper bits.
fn bin(hash: u64) -> u32 {
    (hash >> (64 - HEADER_BINS.trailing_zeros())) as u32
}

/// Hashes of the sections of a program, by name.
fn sections(program: &Program) -> impl Iterator<Item = u64> {
    program.sections.iter().flatten().map(|section| hash(b's', &[&section.name]))
}

/// Hashes of the libraries and functions that a program's header names; some occur more than once.
fn names(program: &Program) -> Vec<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{Import, Section};
    use crate::view::IdfCounts;

    /// A view in which everything is rare.
    fn view() -> HeaderView {
        let mut counts = IdfCounts::new(HEADER_BINS);
        counts.add_family(&BTreeSet::new());
        HeaderView::new(counts.finish())
    }

    fn program(imports: &[&str], sections: &[&str]) -> Content {
        let import = |name: &&str| Import {
            library: Some("KERNEL32.dll".into()),
            symbol: ImportedSymbol::Name((*name).into()),
            delayed: false,
        };
        let section = |name: &&str| Section { name: (*name).into(), ..Section::default() };
        Content::Program(Box::new(Program {
            libraries: Some(vec!["C:\\windows\\KERNEL32.dll".into(), "libc.so.6".into()]),
            imports: Some(imports.iter().map(import).collect()),
            exports: Some(vec!["PyInit_view".into()]),
            sections: Some(sections.iter().map(section).collect()),
            ..Program::default()
        }))
    }

    #[test]
    fn names_are_compared_as_in_the_source() {
        let view = view();
        let windows = view.terms(&program(&["CreateFileW", "memcpy", "strlen"], &[".text"])).unwrap();
        assert_eq!(windows.len(), 7);
        let linux =
            view.terms(&program(&["_CreateFileW", "memcpy@GLIBC_2.14", "strlen"], &[".text"])).unwrap();
        assert_eq!(linux, windows);
        let other = view.terms(&program(&["CreateFileW", "memcpy", "free"], &[".text"])).unwrap();
        assert!((other.cosine(&windows) - 6.0 / 7.0).abs() < 1e-4);
        // A section of the name of a function is another term.
        let section = view.terms(&program(&["CreateFileW", "memcpy", "free"], &["strlen", ".text"])).unwrap();
        assert!(section.cosine(&windows) < 0.9);
    }

    #[test]
    fn a_file_that_names_too_little_has_no_view() {
        let view = view();
        assert_eq!(view.terms(&program(&["LoadLibraryA"], &[])), None);
        assert_eq!(view.terms(&Content::Other(crate::sample::facts::Notes::default())), None);
    }
}
