//! The unpacker: the state of reading one archive and the archives in it.

use super::container::{Appended, Container, HEAD};
use super::error::ArchiveError;
use super::limits::Budget;
use super::member::Member;
use super::member_path::member_path;
use super::source::{OffsetSource, Source};
use crate::sample::bytes::Bytes;
use crate::sample::clutter::is_clutter;
use crate::sample::kind::FileKind;
use crate::sample::passwords::Passwords;
use crate::sample::record::identify;
use crate::sample::sparse_bytes::SparseBytes;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Receives each file in an archive: its path, and the file or why it could not be read.
pub type OnMember<'a> = &'a mut dyn FnMut(PathBuf, Result<Member, ArchiveError>);

/// What is done with archives of any format: the readers of formats use the unpacker, and not the other way around.
#[derive(Clone, Copy)]
pub struct Formats {
    /// The archive format of a file of this kind with these first bytes.
    pub recognise: fn(FileKind, &[u8], &mut dyn Source) -> Option<Container>,
    /// Reads an archive and passes its members to the unpacker.
    pub read: fn(&mut Unpacker<'_>, &Path, Container, &mut dyn Source) -> Result<(), ArchiveError>,
    /// Whether an archive may be appended to such a file.
    pub hosts_archives: fn(FileKind, &[u8]) -> bool,
    /// Finds an archive that is appended to a file.
    pub find_appended: fn(FileKind, Bytes<'_>) -> Option<Appended>,
}

/// Receives the members of an archive from the reader of its format.
pub struct Unpacker<'a> {
    pub passwords: &'a Passwords,
    pub budget: &'a mut Budget,
    /// For the archives in the archive.
    pub formats: Formats,
    /// Archives around the current one.
    pub depth: usize,
    pub on_member: OnMember<'a>,
    /// Files passed to `on_member`.
    pub files: usize,
    /// Whether files were passed over.
    pub passed_over: bool,
    /// The paths that were passed on, by their digests, and the number of the next file of the same name. Names can be
    /// long, so that the paths themselves would take memory.
    pub paths: HashMap<u64, u32>,
    /// If the zip that is read next is appended: where it may begin.
    pub zip_from: Option<u64>,
}

impl<'a> Unpacker<'a> {
    /// An unpacker that has not read anything yet.
    pub fn new(
        formats: Formats,
        passwords: &'a Passwords,
        budget: &'a mut Budget,
        on_member: OnMember<'a>,
    ) -> Self {
        Self {
            passwords,
            budget,
            formats,
            depth: 0,
            on_member,
            files: 0,
            passed_over: false,
            paths: HashMap::new(),
            zip_from: None,
        }
    }

    /// Takes a member that was read: an archive is unpacked, any other file is passed on.
    pub fn take(
        &mut self,
        archive: &Path,
        name: &[u8],
        member: impl Into<Member>,
    ) -> Result<(), ArchiveError> {
        let mut member = member.into();
        let head = member.bytes.first(HEAD);
        if is_clutter(name, Some(&head)) {
            self.passed_over = true;
            return Ok(());
        }
        let path = self.distinct(member_path(archive, name));
        let (kind, _) = identify(&member.bytes);
        let found = (self.formats.recognise)(kind, &head, &mut member.bytes.reader());
        let hosts = self.budget.limits.appended && (self.formats.hosts_archives)(kind, &head);
        drop(head);
        let Some(container) = found else {
            let bytes = if hosts { self.appended_to(kind, &member) } else { None };
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
        let result = (self.formats.read)(self, &path, container, &mut member.bytes.reader());
        self.depth -= 1;
        match result {
            Ok(()) => Ok(()),
            Err(ArchiveError::Document(notes)) => {
                member.notes.extend(notes);
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

    /// The archive that is appended to a member, and the bytes of the member.
    fn appended_to(&self, kind: FileKind, member: &Member) -> Option<(Appended, SparseBytes)> {
        let bytes = &member.bytes;
        let first = bytes.first(self.budget.limits.member);
        let found = (self.formats.find_appended)(kind, Bytes::new(&first, bytes.size()))?;
        drop(first);
        Some((found, bytes.clone()))
    }

    /// Reads an archive that is appended to the sample `path`, whose bytes are `source`.
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
            self.zip_from = (container == Container::Zip).then_some(found.from);
            // A zip counts from its own start or from that of the program; its reader knows both.
            let start = if container == Container::Zip { 0 } else { found.offset };
            let mut source = OffsetSource::new(source, start);
            let read = source
                .seek(SeekFrom::Start(0))
                .map_err(ArchiveError::damaged)
                .and_then(|_| (self.formats.read)(self, path, container, &mut source));
            self.depth -= 1;
            read
        };
        match result {
            Err(error) if error.is_final() => Err(error),
            // The file itself is a sample under its own path.
            Err(ArchiveError::Document(_)) | Ok(()) => Ok(()),
            Err(error) => self.fail(path, found.name.as_bytes(), error),
        }
    }

    /// Reports a member that could not be read. Fails if a limit was reached, since no other member can be read then.
    pub fn fail(&mut self, archive: &Path, name: &[u8], error: ArchiveError) -> Result<(), ArchiveError> {
        if error.is_final() {
            return Err(error);
        }
        if is_clutter(name, None) {
            self.passed_over = true;
            return Ok(());
        }
        self.report(archive, name, error)
    }

    /// `path`, or with a number if another member has that path: `a.zip!b (2)`.
    fn distinct(&mut self, path: PathBuf) -> PathBuf {
        let key = digest(&path);
        let mut number = match self.paths.entry(key) {
            Entry::Vacant(place) => {
                place.insert(2);
                return path;
            }
            Entry::Occupied(next) => *next.get(),
        };
        loop {
            let mut name = path.clone().into_os_string();
            name.push(format!(" ({number})"));
            number = number.saturating_add(1);
            let other = PathBuf::from(name);
            if let Entry::Vacant(place) = self.paths.entry(digest(&other)) {
                place.insert(2);
                self.paths.insert(key, number);
                return other;
            }
        }
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
