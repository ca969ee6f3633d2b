//! Errors of reading an archive.

use super::member::Note;

/// What the standard library says of a reader that ends too early.
pub(super) const SHORT: &str = "failed to fill whole buffer";

/// Why an archive or one of its members could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes do not follow the format.
    #[error(
        "is damaged or in an unsupported variant of its format ({0}). Unpack it elsewhere and open the files"
    )]
    Damaged(String),
    /// None of the passwords, of which there are so many, opens it.
    #[error("is encrypted, and none of the {0} known passwords opens it. Read it again with its password")]
    Password(usize),
    /// A password may be right, but what it decrypts to is damaged.
    #[error(
        "is encrypted, and either it is damaged or none of the {0} known passwords is right. Read it again with its password"
    )]
    PasswordOrDamage(usize),
    /// It is compressed or encrypted by this method.
    #[error("uses {0}, which this version does not read. Unpack it elsewhere and open the files")]
    Method(String),
    /// An archive of this format: "a RAR archive".
    #[error("is {0}, which this version does not open. Unpack it elsewhere and open the folder")]
    NotOpened(&'static str),
    /// A part of an archive in several files: its number, and the name of the first volume.
    #[error("is volume {0} of {1}, read with it")]
    LaterVolume(usize, String),
    /// A part of an archive whose other parts are not there: its number, and the name that is missing.
    #[error(
        "is volume {0} of an archive in several files, and {1} is missing. Put all volumes into one folder"
    )]
    MissingVolume(usize, String),
    /// A member of which only a part is in this volume; the others are in the named one, or in other volumes.
    #[error(
        "is only partly in this archive: the rest is in {0}. Unpack all volumes elsewhere and open the folder"
    )]
    Split(String),
    /// Bytes that belong to no member.
    #[error("was read, but {0} bytes after its end were ignored. They belong to no file in it")]
    Trailing(u64),
    /// A member whose bytes in the archive are those of the named one, as in a bomb that one small file fills.
    #[error("has the same bytes in the archive as {0}, and was read with it")]
    Shared(String),
    /// A member has more bytes in memory than the limit, in MiB.
    #[error(
        "is larger than the {0} MiB, not counting long runs of zeros, that a member of an archive may have. Unpack it elsewhere and open the file"
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
    /// A file that is an archive by its format, but a document or a package by its use: it is a sample. What to say
    /// about it; the name of the first is what it is.
    #[error("is {}, not an archive", .0.first().map_or("a document", |note| &note.name))]
    Document(Vec<Note>),
    /// The same in several files.
    #[error(
        "is the first of several files that together are a zip of this kind: {0}. Join them into one file"
    )]
    SplitDocument(String),
    /// Only members that are passed over.
    #[error(
        "is an archive of files that systems leave in folders, such as .DS_Store: expected at least one other file"
    )]
    OnlyClutter,
    /// No members.
    #[error("is an archive without files: expected at least one")]
    Empty,
}

impl ArchiveError {
    /// The archive is damaged; `why` is the error of its reader.
    pub(super) fn damaged(why: impl std::fmt::Display) -> Self {
        let why = why.to_string();
        // The words of the standard library, in which decoders wrap theirs.
        if why.contains(SHORT) {
            return Self::Damaged("it is cut off: expected more bytes, found the end".to_owned());
        }
        Self::Damaged(why)
    }

    /// The archive is cut off: it needs so many bytes, and so many are there.
    pub(super) fn cut_off(expected: u64, found: u64) -> Self {
        Self::Damaged(format!("it is cut off: expected {expected} bytes, found {found}"))
    }

    /// Whether no more members can be read.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Limit(_))
    }

    /// Whether another password may help.
    pub(crate) fn needs_password(&self) -> bool {
        matches!(self, Self::Password(_) | Self::PasswordOrDamage(_))
    }
}
