//! Facts from the header of an executable.

use serde::{Deserialize, Serialize};

/// Sections that are listed.
pub(super) const MAX_SECTIONS: usize = 96;
/// Libraries that are listed.
pub(super) const MAX_LIBRARIES: usize = 256;
/// Imported functions that are listed.
const MAX_IMPORTS: usize = 512;
/// Imported functions that are counted.
pub(super) const MAX_COUNTED: usize = 100_000;
/// The longest name that is read, in bytes. A longer one is a trap: its end would be searched for in the whole file,
/// again and again.
pub(super) const MAX_NAME: usize = 4096;

/// One section of an executable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The name in the header; show it escaped.
    pub name: String,
    /// Bytes in the file.
    pub size: u64,
    /// Their offset in the file; `None` if there are none or they are outside of it.
    pub offset: Option<u64>,
    /// Shannon's entropy of the bytes, 0 to 8 bits; `None` without bytes.
    pub entropy: Option<f32>,
}

/// What the header of an executable says. `None` means unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Executable {
    /// The address of the first instruction.
    pub entry: Option<u64>,
    /// When a PE was linked, in seconds since 1970. Reproducible builds have a hash here.
    pub built: Option<u32>,
    /// The first sections.
    pub sections: Vec<Section>,
    /// The number of all sections.
    pub section_count: usize,
    /// The libraries that are loaded with it.
    pub libraries: Vec<String>,
    /// The first imported functions. Those of a PE include the library, and have a number if there is no name.
    pub imports: Vec<String>,
    /// The number of all imported functions.
    pub import_count: usize,
    /// Whether there is a signature. It is not verified.
    pub signed: Option<bool>,
    /// Bytes after everything that the header describes.
    pub overlay: Option<u64>,
    /// Tools that left traces: .NET, Go, Rust, UPX and others.
    pub hints: Vec<String>,
}

impl Executable {
    /// Adds a library; returns whether there is room for more.
    pub(super) fn add_library(&mut self, name: &[u8]) -> bool {
        let name = String::from_utf8_lossy(name.get(..256).unwrap_or(name)).into_owned();
        if !self.libraries.contains(&name) {
            self.libraries.push(name);
        }
        self.libraries.len() < MAX_LIBRARIES
    }

    /// Counts an imported function and lists it if there is room.
    pub(super) fn add_import(&mut self, name: String) {
        self.import_count += 1;
        if self.imports.len() < MAX_IMPORTS {
            self.imports.push(name);
        }
    }
}
