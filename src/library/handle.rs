//! The handle of an open library, whatever keeps it.

use super::copy_engine::CopyLibrary;
use super::kept_copy::KeptCopy;
use super::postgres::{ServerWatch, open, shard};
use super::sqlite::{FileWatch, SqliteLibrary};
use super::{Engine, LibraryError, Location, ServerUrl, Watch, unreachable};
use crate::job::{Reporter, Stop};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

/// An open library.
#[derive(Debug)]
pub struct Library(Box<dyn Engine>);

impl Library {
    /// Opens an existing library: a file, or a database by its URL. One of an earlier version is migrated, if the user may do that.
    pub fn open(place: &Path) -> Result<Self, LibraryError> {
        Self::opened(place, false)
    }

    /// Opens a library, or creates an empty one where there is none: the file with its folder, or the tables in the database.
    pub fn open_or_create(place: &Path) -> Result<Self, LibraryError> {
        Self::opened(place, true)
    }

    /// The same as [`Self::open`], but never from a copy.
    pub fn reach(place: &Path) -> Result<Self, LibraryError> {
        Ok(Self(match Location::parse(place)? {
            Location::File(path) => Box::new(SqliteLibrary::open(&path, false)?),
            Location::Server(url) => open(&url, false)?,
        }))
    }

    /// The copy of a team's library as it answers while the server cannot be reached, whether it can or not; `None` if none is kept.
    pub fn from_its_copy(place: &Path) -> Result<Option<Self>, LibraryError> {
        let copy = KeptCopy::open(place)?;
        let library = copy.and_then(|copy| CopyLibrary::new(copy, String::new()));
        Ok(library.map(|library| Self(Box::new(library))))
    }

    /// What has the edit with this number: for one below zero the copy of a team's library, whether the server can be reached or not.
    pub fn open_for_edit(place: &Path, edit: i64) -> Result<Self, LibraryError> {
        match if edit < 0 { Self::from_its_copy(place)? } else { None } {
            Some(copy) => Ok(copy),
            None => Self::open(place),
        }
    }

    /// A watch of the library at `place`, which need not be open.
    ///
    /// # Errors
    /// A URL that this program does not accept.
    pub fn watch(place: &Path) -> Result<Box<dyn Watch>, LibraryError> {
        Ok(match Location::parse(place)? {
            Location::File(path) => Box::new(FileWatch::new(&path)),
            Location::Server(url) => Box::new(ServerWatch::new(&url)),
        })
    }

    /// Gives the library in a database these databases as shards, which keep what is large of its samples, and returns how many were sent
    /// to them. Started again, it goes on.
    ///
    /// # Errors
    /// A library in a file, or one with other shards; a database that is in use; a role that does not own the tables.
    pub fn shard(place: &Path, to: &[PathBuf], reporter: &Reporter) -> Result<usize, Stop> {
        let url = server(place)?;
        let to = to.iter().map(|place| server(place)).collect::<Result<Vec<_>, _>>()?;
        shard(&url, &to, reporter)
    }

    fn opened(place: &Path, create: bool) -> Result<Self, LibraryError> {
        Ok(Self(match Location::parse(place)? {
            Location::File(path) => Box::new(SqliteLibrary::open(&path, create)?),
            Location::Server(url) => return Self::server_or_copy(place, &url, create),
        }))
    }

    /// The library on the server, or its copy if one is kept and the server cannot be reached.
    fn server_or_copy(place: &Path, url: &ServerUrl, create: bool) -> Result<Self, LibraryError> {
        let its_copy = |why: String| {
            let found = KeptCopy::open(place).unwrap_or_else(|unusable| {
                tracing::warn!("the copy of the library cannot be used: {unusable}");
                None
            });
            Some(Self(Box::new(CopyLibrary::new(found?, why)?)))
        };
        if let Some(library) = unreachable::lately(url).and_then(its_copy) {
            return Ok(library);
        }
        match open(url, create) {
            Err(error) if error.is_unreachable() => {
                let why = error.to_string();
                let library = its_copy(why.clone()).ok_or(error)?;
                unreachable::note(url, why);
                Ok(library)
            }
            opened => {
                unreachable::reached(url);
                Ok(Self(opened?))
            }
        }
    }
}

/// The URL of a database.
fn server(place: &Path) -> Result<ServerUrl, LibraryError> {
    match Location::parse(place)? {
        Location::Server(url) => Ok(url),
        location @ Location::File(_) => Err(LibraryError::Server {
            expected: "the URL of a database, postgresql://USER@HOST/DATABASE".to_owned(),
            found: "a file".to_owned(),
            location,
            advice: "Nothing was changed. Only a team's library has shards".to_owned(),
        }),
    }
}

impl Deref for Library {
    type Target = dyn Engine;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl DerefMut for Library {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.0
    }
}
