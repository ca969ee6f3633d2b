//! The record of a sample: what reading a file once finds out about it.

use super::architecture::Architecture;
use super::error::SampleError;
use super::kept_facts::KeptFacts;
use super::kind::FileKind;
use super::read_at::read_at;
use super::sha256::Sha256;
use super::sparse_bytes::SparseBytes;
use sha2::Digest as _;
use std::path::{Path, PathBuf};

/// Bytes that identify a file in memory.
const HEAD: u64 = 64 << 10;

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
    /// What a library keeps of it, if it was read for that.
    pub facts: Option<Box<KeptFacts>>,
}

impl Sample {
    /// The record of a file in memory. Fails if it is empty.
    pub fn of_bytes(path: &Path, bytes: &SparseBytes) -> Result<Self, SampleError> {
        if bytes.size() == 0 {
            return Err(SampleError::Empty);
        }
        let (kind, architecture) = identify(bytes);
        let mut digest = sha2::Sha256::new();
        bytes.chunks().for_each(|chunk| digest.update(chunk));
        let sha256 = Sha256(digest.finalize().into());
        Ok(Self {
            path: path.to_owned(),
            label: None,
            sha256,
            size: bytes.size(),
            kind,
            architecture,
            facts: None,
        })
    }
}

/// Identifies a file in memory.
pub fn identify(bytes: &SparseBytes) -> (FileKind, Option<Architecture>) {
    FileKind::identify_file(&bytes.first(HEAD), bytes.size(), &mut |offset, len| {
        read_at(&mut bytes.reader(), offset, len)
    })
}
