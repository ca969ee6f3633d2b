//! Samples: files that were read, identified by their content and hashed, and never run.
//!
//! A file is opened once ([`OpenSample`]), identified from its first bytes, and read in one
//! streaming pass that hashes it and hands every chunk to whoever makes the picture. Memory does
//! not grow with the file.

pub mod archive;
mod executable;
mod kind;
mod open;
mod passwords;
mod walk;

pub use executable::{Executable, Section, header_of, read_header};
pub use kind::{Architecture, FileKind};
pub use open::{OpenSample, open_file};
pub use passwords::Passwords;
pub use walk::{Found, Layout, Skipped, labels, walk};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The SHA-256 of a file's content: what identifies a sample.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The digest of bytes already in memory.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Parses 64 hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
        let (pairs, rest) = digits.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        Some(Self(bytes.try_into().ok()?))
    }

    /// The first eight hexadecimal digits, for places too narrow for all 64.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(8);
        text
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is known of a file after reading it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where it was read from. May not be UTF-8; show it through [`crate::escape`].
    pub path: PathBuf,
    /// The folder below the labelled folder, if it came from one.
    pub label: Option<String>,
    /// The digest of the whole content.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    /// What the content says it is.
    pub kind: FileKind,
    /// For executables, the processor the header names.
    pub architecture: Option<Architecture>,
}

/// Why one file could not become a sample. Costs that file alone.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The operating system refused.
    #[error("could not be read: {0}. Check that it still exists and that you may read it")]
    Io(#[from] std::io::Error),
    /// A pipe, device, socket or folder.
    #[error("expected a regular file, found {0}; such things are never opened")]
    NotAFile(&'static str),
    /// No bytes at all.
    #[error("is empty: expected at least one byte. Nothing can be said about it")]
    Empty,
    /// It grew or shrank under us.
    #[error(
        "changed while it was being read (expected {expected} bytes, found {found}). Try again when nothing writes to it"
    )]
    Changed {
        /// Size when it was opened.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
}
