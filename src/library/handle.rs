//! The handle of an open library, whatever keeps it.

use super::postgres::{PostgresLibrary, ServerWatch};
use super::sqlite::{FileWatch, SqliteLibrary};
use super::{Engine, LibraryError, Location, Watch};
use std::ops::{Deref, DerefMut};
use std::path::Path;

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

    fn opened(place: &Path, create: bool) -> Result<Self, LibraryError> {
        Ok(Self(match Location::parse(place)? {
            Location::File(path) => Box::new(SqliteLibrary::open(&path, create)?),
            Location::Server(url) => Box::new(PostgresLibrary::open(&url, create)?),
        }))
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
