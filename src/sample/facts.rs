//! Facts: what a file says about itself, without a model or a library.
//!
//! Everything in a header was written by the author of the sample: it is reported, not trusted. A fact that cannot be
//! read is unknown and never "none"; a problem says why. One bad number costs only the facts that need it.

use super::architecture::Architecture;
use super::digests::Digests;
use super::kind::FileKind;
use super::sha256::Sha256;
use serde::{Deserialize, Serialize};

/// Sections that are listed.
pub const MAX_SECTIONS: usize = 4096;
/// Libraries that are listed.
pub const MAX_LIBRARIES: usize = 4096;
/// Imported functions that are listed, and exported ones.
pub const MAX_FUNCTIONS: usize = 65_536;
/// The longest name that is read, in bytes. A longer one is a trap: its end would be searched for in the whole file,
/// again and again.
pub const MAX_NAME: usize = 4096;
/// Bytes of all names that are kept.
pub const MAX_NAMES: usize = 2 << 20;
/// Problems that are listed.
const MAX_PROBLEMS: usize = 64;

/// A value from a header; `None` if it is unknown, which a problem explains.
pub type Fact<T> = Option<T>;

/// What is known of one file or archive member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The format.
    pub kind: FileKind,
    /// The processor an executable was built for; `None` if it is unknown or not an executable.
    pub architecture: Option<Architecture>,
    /// Size in bytes.
    pub size: u64,
    /// Digests of the whole content.
    pub digests: Digests,
    /// What is in the file.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// A program for one processor.
    Program(Box<Program>),
    /// A fat Mach-O: programs for several processors.
    Fat(Fat),
    /// No program.
    Other(Notes),
}

/// A program for one processor: a PE, an ELF, a Mach-O, or a slice of a fat Mach-O.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The processor.
    pub architecture: Option<Architecture>,
    /// The virtual address of the first instruction, with the preferred image base; `Some(None)` if there is no entry
    /// point, as in a resource library or an object file.
    pub entry: Fact<Option<u64>>,
    /// When a PE was linked, in seconds since 1970; `Some(None)` if the header does not say. Reproducible builds have
    /// a hash here. ELF and Mach-O do not record it.
    pub linked: Fact<Option<u32>>,
    /// The sections.
    pub sections: Fact<Vec<Section>>,
    /// The names of the libraries that are loaded with it, without repetition, in the order of the file.
    pub libraries: Fact<Vec<String>>,
    /// The imported functions.
    pub imports: Fact<Vec<Import>>,
    /// The exported functions; `#5` for one that only has an ordinal.
    pub exports: Fact<Vec<String>>,
    /// Whether there is a signature. It is not verified.
    pub signed: Fact<bool>,
    /// Bytes after everything that the header describes; `Some(None)` if there are none.
    pub overlay: Fact<Option<Overlay>>,
    /// The program that is packed in it, if it was unpacked. All other facts are those of the packed program.
    pub unpacked: Option<UnpackedFacts>,
    /// Hints and problems.
    pub notes: Notes,
}

/// The program that is packed in another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackedFacts {
    /// The method of compression: "NRV2E", "LZMA".
    pub method: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Whether the packer's checksums of it agree.
    pub exact: bool,
}

/// One section of a program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The name in the header; show it escaped. Of a Mach-O: `__TEXT,__text`.
    pub name: String,
    /// The offset of its bytes in the file; `None` if it has none.
    pub offset: Option<u64>,
    /// Its bytes in the file.
    pub size: u64,
    /// Its virtual address, with the preferred image base.
    pub address: u64,
    /// Its size in memory.
    pub virtual_size: u64,
    /// What its memory may be used for.
    pub access: Access,
    /// Shannon's entropy of its bytes, 0 to 8 bits; `None` without bytes.
    pub entropy: Option<f32>,
}

/// What memory may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Access {
    pub read: bool,
    pub write: bool,
    pub execute: bool,
}

/// One imported function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The library that it is imported from, where the file says which.
    pub library: Option<String>,
    /// Its name or number.
    pub symbol: ImportedSymbol,
    /// Whether it is loaded at its first call (delay-load).
    pub delayed: bool,
}

/// How a function is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportedSymbol {
    /// By its name; show it escaped.
    Name(String),
    /// By its number in a PE.
    Ordinal(u16),
}

/// Bytes after everything that the header describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// Their offset in the file.
    pub offset: u64,
    /// Their number.
    pub size: u64,
}

/// The programs of a fat Mach-O.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fat {
    /// The programs.
    pub slices: Vec<Slice>,
    /// Bytes after the last slice.
    pub overlay: Fact<Option<Overlay>>,
    /// Hints and problems of the file as a whole.
    pub notes: Notes,
}

/// One program of a fat Mach-O. The offsets in it count from its own start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Its offset in the file.
    pub offset: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its facts.
    pub program: Program,
}

/// A trace of a compiler, packer or installer, or another finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The tool or finding: "UPX", ".NET", "Go".
    pub name: String,
    /// Where the trace is.
    pub reason: String,
}

/// Hints, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Traces of tools.
    pub hints: Vec<Hint>,
    /// What could not be read, and why: `imports: the name of library 3 is outside of the file`.
    pub problems: Vec<String>,
}

impl Notes {
    /// Adds a hint; of several with the same name, the first is kept.
    pub fn hint(&mut self, name: &str, reason: impl Into<String>) {
        if self.hints.iter().all(|hint| hint.name != name) {
            self.hints.push(Hint { name: name.to_owned(), reason: reason.into() });
        }
    }

    /// Adds a problem with `fact`: one of the names of the JSON form, in plural or singular as there.
    pub fn problem(&mut self, fact: &str, why: impl std::fmt::Display) {
        let text = format!("{fact}: {why}");
        if self.problems.len() < MAX_PROBLEMS && !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }
}

/// The name of the hint that the link time of a PE is a hash and no time.
pub const REPRODUCIBLE: &str = "reproducible build";

impl Program {
    /// Whether the link time is a hash, as in a reproducible build.
    pub fn linked_is_hash(&self) -> bool {
        self.notes.hints.iter().any(|hint| hint.name == REPRODUCIBLE)
    }
}

impl Content {
    /// Hints and problems of the file as a whole.
    pub fn notes(&self) -> &Notes {
        match self {
            Self::Program(program) => &program.notes,
            Self::Fat(fat) => &fat.notes,
            Self::Other(notes) => notes,
        }
    }

    /// The same, to add to.
    pub fn notes_mut(&mut self) -> &mut Notes {
        match self {
            Self::Program(program) => &mut program.notes,
            Self::Fat(fat) => &mut fat.notes,
            Self::Other(notes) => notes,
        }
    }

    /// The programs: one, those of a fat Mach-O, or none.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let (one, several) = match self {
            Self::Program(program) => (Some(&**program), None),
            Self::Fat(fat) => (None, Some(fat.slices.iter().map(|slice| &slice.program))),
            Self::Other(_) => (None, None),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}
