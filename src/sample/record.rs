//! The record of a sample: what reading a file once finds out about it.

use super::architecture::Architecture;
use super::error::SampleError;
use super::kind::FileKind;
use super::sha256::Sha256;
use std::path::{Path, PathBuf};

/// One file or archive member that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where it was read from. May not be UTF-8; show it through [`crate::escape`].
    pub path: PathBuf,
    /// Its label, if it is in a labelled folder.
    pub label: Option<String>,
    /// The digest of the whole content.
    pub sha256: Sha256,
    /// Size in bytes.
    pub size: u64,
    /// The file format, from the content.
    pub kind: FileKind,
    /// The processor that the header of an executable names.
    pub architecture: Option<Architecture>,
}

impl Sample {
    /// The record of a file in memory. Fails if it is empty.
    pub fn of_bytes(path: &Path, bytes: &[u8]) -> Result<Self, SampleError> {
        if bytes.is_empty() {
            return Err(SampleError::Empty);
        }
        let (kind, architecture) = FileKind::identify(bytes);
        let size = bytes.len() as u64;
        Ok(Self { path: path.to_owned(), label: None, sha256: Sha256::of(bytes), size, kind, architecture })
    }
}
