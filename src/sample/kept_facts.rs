//! Kept facts: what a library keeps of a sample beside its vectors, so that the sample can be looked up, and what is rare
//! counted, without its file: its SHA-1 and MD5, facts of its header, and hashes of the names and strings in it.

use super::digests::DigestBuilder;
use super::facts::{Content, ImportedSymbol, Program};
use super::traits::{Strings, TraitKind, TraitSet, name_hash};
use serde::{Deserialize, Serialize};

/// The most bytes of [`KeptFacts::to_bytes`].
pub const MAX_KEPT_FACTS: usize = 8 << 10;
/// Sections that are kept, and bytes of their names.
const MAX_SECTIONS: usize = 32;
const MAX_SECTION_NAME: usize = 24;
/// Bytes of a name that is kept beside its hash.
const MAX_NAME: usize = 48;

/// Which facts are made while a file is read for its picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeepFacts {
    /// None.
    #[default]
    No,
    /// Those that a library keeps.
    Hashes,
    /// The same, and the names and strings whose hashes they have.
    Named,
}

/// What a library keeps of one sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFacts {
    /// Its SHA-1.
    pub sha1: [u8; 20],
    /// Its MD5.
    pub md5: [u8; 16],
    /// Facts of its header; those of a fat Mach-O are of its first program.
    pub header: HeaderFacts,
    /// Its imports, exports and strings, in the order of [`TraitKind::ALL`].
    pub traits: [TraitSet; 3],
    /// Names and strings by their hash. A library does not keep them.
    pub names: Vec<(u64, String)>,
}

/// Facts of a program's header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderFacts {
    /// When it was linked, in seconds since 1970, if it says so.
    pub linked: Option<u32>,
    /// Whether it has a signature, if that is known.
    pub signed: Option<bool>,
    /// Bytes behind everything that the header describes, if that is known.
    pub overlay: Option<u64>,
    /// The first sections: their names, which may be cut, and their bytes in the file.
    pub sections: Vec<(String, u64)>,
}

/// What is stored, without the digests.
#[derive(Serialize, Deserialize)]
struct Stored {
    header: HeaderFacts,
    traits: [(bool, Vec<u8>); 3],
}

impl KeptFacts {
    /// The facts of a file with these digests that is no program.
    pub fn new(digests: DigestBuilder) -> Self {
        let (sha1, md5) = digests.sha1_and_md5();
        Self { sha1, md5, ..Self::default() }
    }

    /// Adds what is in a program: its header, its names, and the strings in `bytes`. With `named`, names and strings too.
    pub fn add_program(&mut self, content: &Content, bytes: &[u8], named: bool) {
        if let Some(program) = content.programs().next() {
            self.header = header(program);
        }
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        for program in content.programs() {
            for import in program.imports.iter().flatten() {
                imports.push(match &import.symbol {
                    ImportedSymbol::Name(name) => name.clone(),
                    ImportedSymbol::Ordinal(number) => {
                        format!(
                            "{}#{number}",
                            import.library.as_deref().unwrap_or_default().to_ascii_lowercase()
                        )
                    }
                });
            }
            exports.extend(program.exports.iter().flatten().cloned());
        }
        let strings = Strings::of(bytes);
        let hashes = |kind: TraitKind, names: &[String]| {
            let hashes = names.iter().map(|name| name_hash(kind, name.as_bytes())).collect();
            TraitSet::of(hashes, kind.most())
        };
        self.traits =
            [hashes(TraitKind::Import, &imports), hashes(TraitKind::Export, &exports), strings.set()];
        self.names.clear();
        if named {
            for (kind, names) in [(TraitKind::Import, &imports), (TraitKind::Export, &exports)] {
                for name in names {
                    let hash = name_hash(kind, name.as_bytes());
                    if self.traits[kind as usize].contains(hash) {
                        self.names.push((hash, cut(name, MAX_NAME)));
                    }
                }
            }
            let texts = strings.texts(bytes, &self.traits[TraitKind::String as usize]);
            self.names.extend(texts.map(|(hash, text)| (hash, cut(&text, MAX_NAME))));
            self.names.sort_unstable();
            self.names.dedup_by_key(|(hash, _)| *hash);
        }
    }

    /// The name or string with this hash, if names were asked for; it may be cut. Show it escaped.
    pub fn name(&self, hash: u64) -> Option<&str> {
        let at = self.names.binary_search_by_key(&hash, |(hash, _)| *hash).ok()?;
        self.names.get(at).map(|(_, name)| name.as_str())
    }

    /// As a library keeps them, without the digests: at most [`MAX_KEPT_FACTS`] bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let traits = self.traits.each_ref().map(|set| (set.is_cut(), set.to_bytes()));
        postcard::to_stdvec(&Stored { header: self.header.clone(), traits }).unwrap_or_default()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` for anything else.
    pub fn from_bytes(sha1: [u8; 20], md5: [u8; 16], bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_KEPT_FACTS {
            return None;
        }
        let (Stored { header, traits }, rest): (Stored, _) = postcard::take_from_bytes(bytes).ok()?;
        let mut sets = <[TraitSet; 3]>::default();
        for ((set, (is_cut, bytes)), kind) in sets.iter_mut().zip(&traits).zip(TraitKind::ALL) {
            *set = TraitSet::from_bytes(bytes, *is_cut, kind.most())?;
        }
        let facts = Self { sha1, md5, header, traits: sets, names: Vec::new() };
        (rest.is_empty() && facts.is_valid()).then_some(facts)
    }

    /// Whether this program could have made them: a worker or a library file may say anything.
    pub fn is_valid(&self) -> bool {
        let sections = &self.header.sections;
        let most: usize = TraitKind::ALL.iter().map(|kind| kind.most()).sum();
        sections.len() <= MAX_SECTIONS
            && sections.iter().all(|(name, _)| name.len() <= MAX_SECTION_NAME)
            && self.traits.iter().zip(TraitKind::ALL).all(|(set, kind)| set.is_valid(kind.most()))
            && self.names.len() <= most
            && self.names.is_sorted_by(|a, b| a.0 < b.0)
            && self.names.iter().all(|(_, name)| name.len() <= MAX_NAME)
    }
}

fn header(program: &Program) -> HeaderFacts {
    let section = |section: &super::facts::Section| (cut(&section.name, MAX_SECTION_NAME), section.size);
    HeaderFacts {
        linked: program.linked.flatten(),
        signed: program.signed,
        overlay: program.overlay.map(|overlay| overlay.map_or(0, |overlay| overlay.size)),
        sections: program.sections.iter().flatten().take(MAX_SECTIONS).map(section).collect(),
    }
}

/// The first characters of a text, `most` bytes at most.
fn cut(text: &str, most: usize) -> String {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{Import, Section};

    fn facts(imports: usize, named: bool) -> KeptFacts {
        let import = |i: usize| Import {
            library: Some("KERNEL32.dll".to_owned()),
            symbol: if i == 0 {
                ImportedSymbol::Ordinal(7)
            } else {
                ImportedSymbol::Name(format!("Function{i}"))
            },
            delayed: false,
        };
        let section = Section { name: "é".repeat(99), size: u64::MAX, ..Section::default() };
        let program = Program {
            linked: Some(Some(u32::MAX)),
            sections: Some(vec![section; 99]),
            imports: Some((0..imports).map(import).collect()),
            exports: Some((0..imports).map(|i| format!("export{i}")).collect()),
            ..Program::default()
        };
        let strings: String = (0..imports * 3).map(|i| format!("a string, number {i}\0")).collect();
        let mut facts = KeptFacts::new(DigestBuilder::default());
        facts.add_program(&Content::Program(Box::new(program)), strings.as_bytes(), named);
        facts
    }

    #[test]
    fn facts_round_trip_and_are_never_too_large() {
        for imports in [0, 3, 5000] {
            let made = facts(imports, false);
            let bytes = made.to_bytes();
            assert!(bytes.len() <= MAX_KEPT_FACTS, "{} bytes", bytes.len());
            assert_eq!(KeptFacts::from_bytes(made.sha1, made.md5, &bytes), Some(made.clone()));
            assert_eq!(KeptFacts::from_bytes(made.sha1, made.md5, &bytes[..bytes.len() - 1]), None);
            assert_eq!(KeptFacts::from_bytes(made.sha1, made.md5, &[&bytes[..], &[0]].concat()), None);
        }
        assert!(facts(5000, false).traits.iter().all(TraitSet::is_cut));
        assert!(!facts(3, false).traits.iter().any(TraitSet::is_cut));
        assert_eq!(KeptFacts::from_bytes([0; 20], [0; 16], &[]), None);
    }

    #[test]
    fn names_are_told_only_if_asked_for() {
        let named = facts(3, true);
        assert!(named.is_valid() && facts(5000, true).is_valid());
        let hash = name_hash(TraitKind::Import, b"Function2");
        assert_eq!(named.name(hash), Some("Function2"));
        assert_eq!(named.name(name_hash(TraitKind::Import, b"kernel32.dll#7")), Some("kernel32.dll#7"));
        let text = name_hash(TraitKind::String, b"a string, number 8");
        assert_eq!(named.name(text), Some("a string, number 8"));
        assert_eq!(facts(3, false).name(hash), None);
        assert_eq!(facts(3, false).to_bytes(), named.to_bytes());
    }
}
