//! Why a library could not be used.

use super::{Location, UrlError};
use crate::sample::Sha256;
use std::path::PathBuf;

/// Why a library could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The database or the operating system refused.
    #[error(
        "the library failed: {why} ({location}). Its earlier contents are unchanged; check the free disk space and your permission to write there"
    )]
    Failed {
        /// What it said.
        why: String,
        /// The library.
        location: Location,
    },
    /// A URL of a database that is not accepted.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A database without a library.
    #[error(
        "expected a library in this database, found none ({location}). Add samples to it with a role that may create tables, or check the URL"
    )]
    NoLibrary {
        /// The database.
        location: Location,
    },
    /// A server that cannot be used as it is.
    #[error("expected {expected}, found {found} ({location}). {advice}")]
    Server {
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
        /// The library.
        location: Location,
        /// What to do.
        advice: String,
    },
    /// A server that keeps a part of it does not do that.
    #[error("shard {number} of {of} of the library is needed for this, and fails: {error}")]
    Shard {
        /// Which, from 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// Why.
        error: Box<Self>,
    },
    /// A server that cannot be reached.
    #[error(
        "expected a PostgreSQL server that answers, found {found} ({location}). Check the host and the port, and that the server runs and can be reached"
    )]
    Unreachable {
        /// What the network said.
        found: String,
        /// The library.
        location: Location,
    },
    /// A connection that has ended.
    #[error(
        "expected a connection to the server, found {found} ({location}). What was not confirmed may have been stored; check the network, and try again"
    )]
    Lost {
        /// What the network said.
        found: String,
        /// The library.
        location: Location,
    },
    /// No such file.
    #[error(
        "expected a library at {path}, found no file. Create a library first, or choose another file",
        path = crate::escape::path(.path)
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file, but not one of ours.
    #[error(
        "expected a Lookalike library, found {what} ({path}). Choose another file; this one was not changed",
        path = crate::escape::path(.path)
    )]
    NotALibrary {
        /// What it seems to be.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// Written by an unknown version of this program.
    #[error(
        "the library has version {found}; this program reads version {expected}. Open it with the Lookalike that wrote it, or update Lookalike ({location}). It was not changed"
    )]
    Version {
        /// What the library says.
        found: i64,
        /// The version of this program's.
        expected: i64,
        /// The library.
        location: Location,
    },
    /// It can be read and not written.
    #[error(
        "the library can only be read ({why}); nothing was changed ({location}). Check your permission to write there and the free disk space"
    )]
    ReadOnly {
        /// Why it could not be opened for writing.
        why: String,
        /// The library.
        location: Location,
    },
    /// A sample that is not in it.
    #[error("the sample {sha256} is not in the library {location}; nothing was changed")]
    NoSample {
        /// Which.
        sha256: Sha256,
        /// The library.
        location: Location,
    },
    /// An edit that is not in its history.
    #[error("the library {location} has no edit {id}; nothing was changed")]
    NoEdit {
        /// Which.
        id: i64,
        /// The library.
        location: Location,
    },
    /// Something that only the server can do, while it cannot be reached.
    #[error(
        "{what} needs the server, which cannot be reached ({location}). Nothing was changed; try again when it can"
    )]
    NeedsServer {
        /// What.
        what: &'static str,
        /// The library.
        location: Location,
    },
    /// A model that it does not hold.
    #[error("the library {location} has no model {model}; nothing was changed")]
    NoSuchModel {
        /// Its hash or its name.
        model: String,
        /// The library.
        location: Location,
    },
    /// A name that another of its models has, or an empty one.
    #[error("expected a name for the model that no other one has, found \"{name}\"; nothing was changed ({location})", name = crate::escape::text(.name))]
    ModelName {
        /// The name.
        name: String,
        /// The library.
        location: Location,
    },
    /// A file that would be overwritten.
    #[error("{path} exists and is not overwritten. Choose another name", path = crate::escape::path(.path))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It has no model yet.
    #[error("the library has no model yet. Add samples to it with a model first")]
    NoModel,
    /// Its folder could not be created.
    #[error(
        "the folder for the library could not be created: {error} ({path}). Check your permission to write there, or choose another place",
        path = crate::escape::path(.path)
    )]
    Folder {
        /// What the operating system said.
        error: std::io::Error,
        /// The folder.
        path: PathBuf,
    },
    /// The model in it cannot be read.
    #[error("the model in the library cannot be used: {0}")]
    Model(#[from] crate::model::ModelError),
}

impl LibraryError {
    /// Whether the server cannot be reached, at least not now.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Lost { .. })
    }
}
