//! The unpacker: the state of reading one archive and the archives in it.

use super::container::Container;
use super::error::ArchiveError;
use super::limits::Budget;
use super::member_path::member_path;
use crate::sample::clutter::is_clutter;
use crate::sample::kind::FileKind;
use crate::sample::passwords::Passwords;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// Receives each file in an archive: its path, and its bytes or why it could not be read.
pub type OnMember<'a> = &'a mut dyn FnMut(PathBuf, Result<Vec<u8>, ArchiveError>);

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
}

impl Unpacker<'_> {
    /// Takes a member that was read: an archive is unpacked, any other file is passed on.
    pub fn take(&mut self, archive: &Path, name: &[u8], bytes: Vec<u8>) -> Result<(), ArchiveError> {
        let path = member_path(archive, name);
        let head = bytes.get(..4096).unwrap_or(&bytes);
        if is_clutter(name, Some(head)) {
            return Ok(());
        }
        let Some(container) = Container::of_sample(FileKind::identify(head).0, head) else {
            self.pass_on(path, Ok(bytes));
            return Ok(());
        };
        let deepest = self.budget.limits.depth;
        if self.depth >= deepest {
            self.pass_on(path, Err(ArchiveError::TooDeep(deepest)));
            return Ok(());
        }
        self.depth += 1;
        let result = (self.read_archive)(self, &path, container, &mut std::io::Cursor::new(&bytes));
        self.depth -= 1;
        match result {
            Ok(()) => Ok(()),
            Err(ArchiveError::Document) => {
                self.pass_on(path, Ok(bytes));
                Ok(())
            }
            Err(error) if error.is_final() => Err(error),
            Err(error) => {
                self.pass_on(path, Err(error));
                Ok(())
            }
        }
    }

    /// Reports a member that could not be read. Fails if a limit was reached, since no other member can be read then.
    pub fn fail(&mut self, archive: &Path, name: &[u8], error: ArchiveError) -> Result<(), ArchiveError> {
        if error.is_final() {
            return Err(error);
        }
        if !is_clutter(name, None) {
            self.pass_on(member_path(archive, name), Err(error));
        }
        Ok(())
    }

    fn pass_on(&mut self, path: PathBuf, found: Result<Vec<u8>, ArchiveError>) {
        self.files += 1;
        (self.on_member)(path, found);
    }

    /// The error that no password opens the archive.
    pub fn no_password_fits(&self) -> ArchiveError {
        ArchiveError::Password(self.passwords.len())
    }
}
