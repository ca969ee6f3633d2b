//! The unpacker: the state of reading one archive and the archives in it.

use super::appended::{Appended, find_appended};
use super::container::{Container, HEAD, recognise};
use super::error::ArchiveError;
use super::limits::Budget;
use super::member::Member;
use super::member_path::member_path;
use crate::sample::bytes::Bytes;
use crate::sample::kind::FileKind;
use crate::sample::passwords::Passwords;
use crate::sample::sparse_bytes::SparseBytes;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Receives each file in an archive: its path, and the file or why it could not be read.
pub type OnMember<'a> = &'a mut dyn FnMut(PathBuf, Result<Member, ArchiveError>);

/// A reader that can seek.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// Reads an archive of any format and passes its members to the unpacker.
pub type ReadArchive = fn(&mut Unpacker<'_>, &Path, Container, &mut dyn Source) -> Result<(), ArchiveError>;

/// Receives the members of an archive from the reader of its format.
pub struct Unpacker<'a> {
    pub passwords: &'a Passwords,
    pub budget: &'a mut Budget,
    /// Reads the archives in the archive.
    pub read_archive: ReadArchive,
    /// Archives around the current one.
    pub depth: usize,
    pub on_member: OnMember<'a>,
    /// Files passed to `on_member`.
    pub files: usize,
    /// Digests of the paths that were passed on. Names can be long, so that the paths themselves would take memory.
    pub paths: HashSet<u64>,
}

impl Unpacker<'_> {
    /// Takes a member that was read: an archive is unpacked, any other file is passed on.
    pub fn take(
        &mut self,
        archive: &Path,
        name: &[u8],
        member: impl Into<Member>,
    ) -> Result<(), ArchiveError> {
        let path = self.distinct(member_path(archive, name));
        let mut member = member.into();
        let head = member.bytes.first(HEAD);
        let (kind, _) = FileKind::identify(&head);
        let found = recognise(kind, &head, &mut member.bytes.reader());
        drop(head);
        let Some(container) = found else {
            let bytes = self.appended_to(kind, &member);
            self.pass_on(path.clone(), Ok(member));
            return match bytes {
                Some((found, bytes)) => self.read_appended(&path, &found, &mut bytes.reader()),
                None => Ok(()),
            };
        };
        let deepest = self.budget.limits.depth;
        if self.depth >= deepest {
            self.pass_on(path, Err(ArchiveError::TooDeep(deepest)));
            return Ok(());
        }
        self.depth += 1;
        let result = (self.read_archive)(self, &path, container, &mut member.bytes.reader());
        self.depth -= 1;
        match result {
            Ok(()) => Ok(()),
            Err(ArchiveError::Document(note)) => {
                member.notes.push(note);
                self.pass_on(path, Ok(member));
                Ok(())
            }
            Err(error) if error.is_final() => Err(error),
            Err(error) => {
                self.pass_on(path, Err(error));
                Ok(())
            }
        }
    }

    /// The archive appended to a program, if it is to be opened, and the bytes of the program.
    fn appended_to(&self, kind: FileKind, member: &Member) -> Option<(Appended, SparseBytes)> {
        if !self.budget.limits.appended || !kind.is_executable() {
            return None;
        }
        let bytes = &member.bytes;
        let found = find_appended(kind, Bytes::new(&bytes.first(self.budget.limits.member), bytes.size()))?;
        Some((found, bytes.clone()))
    }

    /// Reads an archive that is appended to the program `path`, whose bytes are `source`.
    pub fn read_appended(
        &mut self,
        path: &Path,
        found: &Appended,
        source: &mut dyn Source,
    ) -> Result<(), ArchiveError> {
        let Some(container) = found.container else { return Ok(()) };
        let deepest = self.budget.limits.depth;
        let result = if self.depth >= deepest {
            Err(ArchiveError::TooDeep(deepest))
        } else {
            self.depth += 1;
            // A zip counts from its own start or from that of the program; its reader knows both.
            let start = if container == Container::Zip { 0 } else { found.offset };
            let read = (self.read_archive)(self, path, container, &mut OffsetSource::new(source, start));
            self.depth -= 1;
            read
        };
        match result {
            Err(error) if error.is_final() => Err(error),
            // The program itself is a sample under its own path.
            Err(ArchiveError::Document(_)) | Ok(()) => Ok(()),
            Err(error) => self.fail(path, found.name.as_bytes(), error),
        }
    }

    /// Reports a member that could not be read. Fails if a limit was reached, since no other member can be read then.
    pub fn fail(&mut self, archive: &Path, name: &[u8], error: ArchiveError) -> Result<(), ArchiveError> {
        if error.is_final() {
            return Err(error);
        }
        let path = self.distinct(member_path(archive, name));
        self.pass_on(path, Err(error));
        Ok(())
    }

    /// `path`, or with a number if another member has that path: `a.zip!b (2)`.
    fn distinct(&mut self, path: PathBuf) -> PathBuf {
        if self.paths.insert(digest(&path)) {
            return path;
        }
        for number in 2_u32.. {
            let mut name = path.clone().into_os_string();
            name.push(format!(" ({number})"));
            let other = PathBuf::from(name);
            if self.paths.insert(digest(&other)) {
                return other;
            }
        }
        path
    }

    /// Reports a member, whatever the error is.
    pub fn report(&mut self, archive: &Path, name: &[u8], error: ArchiveError) -> Result<(), ArchiveError> {
        let path = self.distinct(member_path(archive, name));
        self.pass_on(path, Err(error));
        Ok(())
    }

    fn pass_on(&mut self, path: PathBuf, found: Result<Member, ArchiveError>) {
        self.files += 1;
        (self.on_member)(path, found);
    }

    /// Reports an archive that is passed on itself: what is wrong with it though its members were read.
    pub fn remark(&mut self, archive: &Path, error: ArchiveError) {
        self.pass_on(archive.to_owned(), Err(error));
    }

    /// The error that no password opens the archive.
    pub fn no_password_fits(&self) -> ArchiveError {
        ArchiveError::Password(self.passwords.len())
    }
}

fn digest(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.as_os_str().hash(&mut hasher);
    hasher.finish()
}

/// The part of a source from an offset on.
pub struct OffsetSource<'a> {
    source: &'a mut dyn Source,
    start: u64,
}

impl<'a> OffsetSource<'a> {
    /// `source` from `start` on; it must be seeked before it is read.
    pub fn new(source: &'a mut dyn Source, start: u64) -> Self {
        Self { source, start }
    }
}

impl Read for OffsetSource<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl Seek for OffsetSource<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => SeekFrom::Start(self.start.saturating_add(to)),
            other => other,
        };
        // A place before the start is at the start.
        Ok(self.source.seek(to)?.saturating_sub(self.start))
    }
}
