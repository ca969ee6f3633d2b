//! Errors of reading an archive.

/// Why an archive or one of its members could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes do not follow the format.
    #[error("is damaged or of an unsupported variant: {0}. Unpack it elsewhere and open the files")]
    Damaged(String),
    /// None of the passwords, of which there are so many, opens it.
    #[error("is encrypted, and none of the {0} known passwords opens it. Read it again with its password")]
    Password(usize),
    /// A member is larger than the limit, in MiB.
    #[error(
        "is larger than the {0} MiB that a member of an archive may have. Unpack it elsewhere and open the file"
    )]
    TooLarge(u64),
    /// The whole archive reached a limit.
    #[error(
        "was read up to {0}; the rest was skipped. If you trust it, unpack it elsewhere and open the folder"
    )]
    Limit(&'static str),
    /// There are too many archives around it.
    #[error("is more than {0} archives deep and was not opened. Unpack the outer archives elsewhere")]
    TooDeep(usize),
    /// A zip that is a document or a package.
    #[error("is a document or a package, not an archive")]
    Document,
    /// No members.
    #[error("is an archive without files: expected at least one")]
    Empty,
}

impl ArchiveError {
    /// The archive is damaged; `why` is the error of its reader.
    pub(super) fn damaged(why: impl std::fmt::Display) -> Self {
        Self::Damaged(why.to_string())
    }

    /// Whether no more members can be read.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Limit(_))
    }

    /// Whether another password may help.
    pub(crate) fn needs_password(&self) -> bool {
        matches!(self, Self::Password(_))
    }
}
