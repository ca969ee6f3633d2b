//! The handle of an open library, whatever keeps it.

use super::postgres::{ServerWatch, open, shard};
use super::sqlite::{FileWatch, SqliteLibrary};
use super::{Engine, LibraryError, Location, ServerUrl, Watch};
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
            Location::Server(url) => open(&url, create)?,
        }))
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
