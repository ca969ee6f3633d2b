//! Archives: what malware is exchanged in. Members are read into memory, one after the other, under
//! limits, and never written anywhere.
//!
//! Formats: zip (with ZipCrypto or AES), 7z, tar, and gzip, xz and zstd around a tar or a single file. A
//! member `m` of an archive `a` is named `a!m`. Office documents, Java and Android packages are zips too,
//! but what an analyst wants to see of those is the whole: they are no archives here.

mod limits;
mod seven_zip;
mod tar;
mod wrapped;
mod zip;

pub use limits::{Budget, Limits};

use super::{FileKind, Passwords};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// Between the name of an archive and that of a member.
pub const SEPARATOR: char = '!';

/// A format of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the name of the format")]
pub enum Container {
    Zip,
    SevenZip,
    Tar,
    Gzip,
    Xz,
    Zstd,
}

impl Container {
    /// Identifies an archive by its first bytes; 512 suffice.
    pub fn of(head: &[u8]) -> Option<Self> {
        let at = |place: usize, magic: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(magic));
        match () {
            () if at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06") => Some(Self::Zip),
            () if at(0, b"7z\xbc\xaf\x27\x1c") => Some(Self::SevenZip),
            () if at(0, b"\x1f\x8b\x08") => Some(Self::Gzip),
            () if at(0, b"\xfd7zXZ\0") => Some(Self::Xz),
            () if at(0, b"\x28\xb5\x2f\xfd") => Some(Self::Zstd),
            // POSIX.1-1988, 10.1.1: "ustar" stands in the header of the first member.
            () if at(257, b"ustar") => Some(Self::Tar),
            () => None,
        }
    }

    /// The archive that a file with these first bytes is, if it is neither an executable nor an image.
    pub fn of_sample(kind: FileKind, head: &[u8]) -> Option<Self> {
        if kind == FileKind::Other { Self::of(head) } else { None }
    }
}

/// Why an archive or one of its members could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes are not what the format says.
    #[error(
        "is damaged, or an archive of a sort that is not known here: {0}. Unpack it elsewhere and open the files"
    )]
    Damaged(String),
    /// No password fitted.
    #[error(
        "is encrypted, and none of the passwords tried opens it ({0} were). Give the right one (--password, or \"Password…\" in the window)"
    )]
    Password(usize),
    /// A member is larger than the limit.
    #[error(
        "is larger than the {0} MiB that a member of an archive may have here. Unpack it elsewhere and open the file"
    )]
    TooLarge(u64),
    /// The archive as a whole reached a limit.
    #[error(
        "was read up to {0}; what follows was left out. If it is no trap, unpack it elsewhere and open the folder"
    )]
    Limit(&'static str),
    /// Archives within archives.
    #[error("lies more than {0} archives deep and was not opened. Unpack the outer ones elsewhere")]
    TooDeep(usize),
    /// A zip that is one document or package.
    #[error("is one document or package")]
    Document,
    /// No member at all.
    #[error("is an archive without any file in it")]
    Empty,
}

impl ArchiveError {
    fn damaged(why: impl std::fmt::Display) -> Self {
        Self::Damaged(why.to_string())
    }

    /// Whether nothing more can come of the archive.
    fn ends(&self) -> bool {
        matches!(self, Self::Limit(_))
    }
}

/// What becomes of each file in an archive: its name, and its bytes or why there are none.
pub type Each<'a> = &'a mut dyn FnMut(PathBuf, Result<Vec<u8>, ArchiveError>);

/// Something that can be read from any place.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// Opens an archive and gives every file in it, and in the archives in it, to `each`. Fails if the archive
/// itself cannot be read, after what could be.
pub fn open(
    path: &Path,
    container: Container,
    source: &mut dyn Source,
    passwords: &Passwords,
    budget: &mut Budget,
    each: Each<'_>,
) -> Result<(), ArchiveError> {
    let mut opening = Opening { passwords, budget, depth: 0, each, files: 0 };
    opening.archive(path, container, source)?;
    if opening.files == 0 { Err(ArchiveError::Empty) } else { Ok(()) }
}

/// An archive that is being opened, and what it lies in.
struct Opening<'a> {
    passwords: &'a Passwords,
    budget: &'a mut Budget,
    /// Archives about the present one.
    depth: usize,
    each: Each<'a>,
    /// Files given away so far, or told about.
    files: usize,
}

impl Opening<'_> {
    fn archive(
        &mut self,
        path: &Path,
        container: Container,
        source: &mut dyn Source,
    ) -> Result<(), ArchiveError> {
        match container {
            Container::Zip => zip::open(self, path, source),
            Container::SevenZip => seven_zip::open(self, path, source),
            Container::Tar => tar::open(self, path, source),
            Container::Gzip | Container::Xz | Container::Zstd => wrapped::open(self, path, container, source),
        }
    }

    /// A member was read: it is an archive itself, or a file.
    fn member(&mut self, archive: &Path, name: &[u8], bytes: Vec<u8>) -> Result<(), ArchiveError> {
        let path = member_path(archive, name);
        let head = bytes.get(..4096).unwrap_or(&bytes);
        let Some(container) = Container::of_sample(FileKind::identify(head).0, head) else {
            self.give(path, Ok(bytes));
            return Ok(());
        };
        let deepest = self.budget.limits.depth;
        if self.depth >= deepest {
            self.give(path, Err(ArchiveError::TooDeep(deepest)));
            return Ok(());
        }
        self.depth += 1;
        let opened = self.archive(&path, container, &mut std::io::Cursor::new(&bytes));
        self.depth -= 1;
        match opened {
            Ok(()) => Ok(()),
            Err(ArchiveError::Document) => {
                self.give(path, Ok(bytes));
                Ok(())
            }
            Err(error) if error.ends() => Err(error),
            Err(error) => {
                self.give(path, Err(error));
                Ok(())
            }
        }
    }

    /// A member could not be read; the others still may be, unless a limit was reached.
    fn failed(&mut self, archive: &Path, name: &[u8], error: ArchiveError) -> Result<(), ArchiveError> {
        if error.ends() {
            return Err(error);
        }
        self.give(member_path(archive, name), Err(error));
        Ok(())
    }

    fn give(&mut self, path: PathBuf, found: Result<Vec<u8>, ArchiveError>) {
        self.files += 1;
        (self.each)(path, found);
    }

    fn encrypted(&self) -> ArchiveError {
        ArchiveError::Password(self.passwords.len())
    }
}

/// `archive!name`. Names may hold anything, so long as nothing is ever written by them.
fn member_path(archive: &Path, name: &[u8]) -> PathBuf {
    let mut path = archive.as_os_str().to_owned();
    path.push(SEPARATOR.to_string());
    path.push(os_name(name));
    PathBuf::from(path)
}

#[cfg(unix)]
fn os_name(name: &[u8]) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt as _;
    // A zero ends a name where names are handed to the system.
    std::ffi::OsString::from_vec(name.iter().copied().filter(|byte| *byte != 0).collect())
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> std::ffi::OsString {
    String::from_utf8_lossy(name).replace('\0', "").into()
}

/// The archive that `path` lies in, if it is the name of a member: up to the first separator behind which
/// nothing of that name lies on the disk.
pub fn archive_of(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return None;
    }
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == SEPARATOR as u8).find_map(|(at, _)| {
        // The separator is ASCII, so what stands before it is whole.
        let name = os_name(bytes.get(..at)?);
        let archive = PathBuf::from(name);
        archive.is_file().then_some(archive)
    })
}
