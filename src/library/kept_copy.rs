//! The copy of a team's library that is kept on this machine: a library file in the user's data folder, named by a hash of the URL,
//! with a queue of what the server lacks. It is there if the user asked for it.

use super::from_copy::now;
use super::queue::Waiting;
use super::sqlite::{CopyOf, SqliteLibrary};
use super::{Engine as _, LibraryError, Location, ServerUrl};
use crate::sample::Sha256;
use sha2::{Digest as _, Sha256 as Hasher};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a copy is called, after its hash.
const ENDING: &str = ".lookalike";
/// Digits of the hash.
const DIGITS: usize = 32;

/// A copy that is kept.
#[derive(Debug)]
pub struct KeptCopy {
    pub(super) library: SqliteLibrary,
    url: ServerUrl,
    state: CopyOf,
}

/// What the queue was like when something else was read: see [`KeptCopy::mirror`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueState((i64, i64));

impl KeptCopy {
    /// The copy of the library at `place`; `None` if none is kept, or if that is a file.
    ///
    /// # Errors
    /// The copy cannot be opened.
    pub fn open(place: &Path) -> Result<Option<Self>, LibraryError> {
        let Location::Server(url) = Location::parse(place)? else { return Ok(None) };
        let Some(path) = path_of(&url).filter(|path| path.exists()) else { return Ok(None) };
        let library = SqliteLibrary::open(&path, false)?;
        Ok(library.copy_of(&url)?.map(|state| Self { library, url, state }))
    }

    /// Whether a copy of the library at `place` is kept.
    pub fn is_kept(place: &Path) -> bool {
        match Location::parse(place) {
            Ok(Location::Server(url)) => path_of(&url).is_some_and(|path| path.exists()),
            _ => false,
        }
    }

    /// The same, made if there is none.
    ///
    /// # Errors
    /// It is not the library of a team; the copy cannot be made.
    pub fn make(place: &Path) -> Result<Self, LibraryError> {
        let location = Location::parse(place)?;
        let refused = |found: &str, advice: &str| LibraryError::Server {
            expected: "a team's library, of which a copy can be kept".to_owned(),
            found: found.to_owned(),
            location: location.clone(),
            advice: advice.to_owned(),
        };
        let Location::Server(url) = &location else {
            return Err(refused("a file", "Name the URL of a database"));
        };
        let path = path_of(url).ok_or_else(|| refused("no folder for it", "Set the variable HOME"))?;
        path.parent().map_or(Ok(()), make_private)?;
        let mut library = SqliteLibrary::open(&path, true)?;
        library.become_copy_of(url)?;
        let state = library.copy_of(url)?;
        let state = state.ok_or_else(|| refused("the copy of another one", "Remove that file"))?;
        Ok(Self { library, url: url.clone(), state })
    }

    /// The file.
    pub fn file(&self) -> PathBuf {
        self.library.location().to_path()
    }

    /// Of which library it is.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Its record.
    pub(super) fn state(&self) -> &CopyOf {
        &self.state
    }

    /// The file as an engine.
    pub(super) fn into_library(self) -> SqliteLibrary {
        self.library
    }

    /// Whether there may be something to send.
    pub fn has_queue(&self) -> Result<bool, LibraryError> {
        self.library.has_queue()
    }

    /// What waits to be sent, the earliest first.
    pub fn waiting(&self) -> Result<Vec<Waiting>, LibraryError> {
        self.library.waiting()
    }

    /// What the queue is like now.
    pub fn queue_state(&self) -> Result<QueueState, LibraryError> {
        self.library.queue_state().map(QueueState)
    }

    /// The samples that something in the queue is about: the copy is ahead of the server there.
    pub fn queued_samples(&self) -> Result<Vec<Sha256>, LibraryError> {
        self.library.queued_samples()
    }

    /// Takes over which samples the server has and with which labels, but for those that something in the queue is about. Does nothing,
    /// and returns `false`, if the queue is no longer as it was before these were read: then they are read again.
    pub fn mirror(
        &mut self,
        all: &[(Sha256, Option<String>)],
        QueueState(queue): QueueState,
    ) -> Result<bool, LibraryError> {
        self.library.mirror(all, queue)
    }

    /// Says that it is as the server had it at a time, and why the user may not change the library there, if so.
    pub fn set_refreshed(&mut self, at: &str, read_only: Option<&str>) -> Result<(), LibraryError> {
        self.library.set_refreshed(at, read_only)
    }

    /// The time, as copies say it.
    pub fn now() -> String {
        now()
    }

    /// Removes the copy, with what waits.
    pub fn forget(self) -> Result<(), LibraryError> {
        let (file, location) = (self.file(), self.library.location().clone());
        drop(self.library);
        let beside = |ending: &str| {
            let mut name = OsString::from(&file);
            name.push(ending);
            PathBuf::from(name)
        };
        let removed = std::fs::remove_file(&file);
        // What belongs to a file that is gone is of no use, and the next copy makes its own.
        for left in ["-wal", "-shm"] {
            drop(std::fs::remove_file(beside(left)));
        }
        drop(std::fs::remove_dir_all(beside("-index")));
        removed.map_err(|error| LibraryError::Failed { why: error.to_string(), location })
    }
}

/// Makes a folder that only the user can look into: what a team shares is the team's.
fn make_private(folder: &Path) -> Result<(), LibraryError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| LibraryError::Folder { error, path: folder.to_owned() })
}

/// Where the copy of a library is.
fn path_of(url: &ServerUrl) -> Option<PathBuf> {
    let mut name = Sha256(Hasher::digest(url.as_str()).into()).to_string();
    name.truncate(DIGITS);
    let folders = directories::ProjectDirs::from("org", "lookalike", "Lookalike")?;
    Some(folders.data_dir().join("copies").join(name + ENDING))
}
