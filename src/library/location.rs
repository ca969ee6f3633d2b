//! Where a library is: in a file, or in a PostgreSQL database that a URL names.

use super::server_url::{ServerUrl, UrlError};
use crate::escape;
use std::path::{Path, PathBuf};

/// Where a library is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file, of SQLite.
    File(PathBuf),
    /// A database of PostgreSQL.
    Server(ServerUrl),
}

impl Location {
    /// What a user named: a URL that begins with `postgresql://` or `postgres://`, else a file.
    ///
    /// # Errors
    /// A URL that this program does not accept.
    pub fn parse(text: impl Into<PathBuf>) -> Result<Self, UrlError> {
        let path = text.into();
        match path.to_str().filter(|text| ServerUrl::is_one(text)) {
            Some(url) => ServerUrl::parse(url).map(Self::Server),
            None => Ok(Self::File(path)),
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// Whether it is a file below `folder`.
    pub fn is_in(&self, folder: &Path) -> bool {
        self.file().is_some_and(|path| path.starts_with(folder))
    }

    /// A short name for people: that of the file or the database, escaped.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => escape::file_name(path),
            Self::Server(url) => escape::text(url.database()),
        }
    }

    /// As [`Self::parse`] reads it. A URL has no password.
    pub fn to_path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Server(url) => PathBuf::from(url.as_str()),
        }
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl std::fmt::Display for Location {
    /// The path or the URL, escaped.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.write_str(&escape::path(path)),
            Self::Server(url) => f.write_str(&escape::text(url.as_str())),
        }
    }
}
