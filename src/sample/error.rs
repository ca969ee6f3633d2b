//! Errors of opening and reading one file.

/// Why a file could not be read. Other files are not affected.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The operating system reported an error.
    #[error("could not be read: {0}. Check that it still exists and that you have permission to read it")]
    Io(#[from] std::io::Error),
    /// A pipe, device, socket or folder.
    #[error("expected a regular file, found {0}; only regular files are opened")]
    NotAFile(&'static str),
    /// A file without content.
    #[error("is empty: expected at least one byte")]
    Empty,
    /// The file grew or shrank while it was read.
    #[error(
        "changed while it was being read (expected {expected} bytes, found {found}). Try again when no program writes to it"
    )]
    Changed {
        /// Size when it was opened.
        expected: u64,
        /// Bytes that were read.
        found: u64,
    },
}
