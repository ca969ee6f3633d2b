//! The library: the catalogue of samples, their labels, and their embeddings by model, in one
//! SQLite file.
//!
//! It carries the model itself too, so that a question needs nothing but the library. A sample is
//! known by the SHA-256 of its content: adding the same file twice changes nothing. Every change
//! is one transaction. Embeddings belong to the hash of the model that made them.

mod care;
mod contents;
mod labels;
mod row;
mod schema;
mod store;

pub use contents::{Contents, Entry};
pub use labels::LabelChange;
pub use row::{Known, row};
pub use store::{Added, Batch, Library};

use std::path::PathBuf;

/// Why a library could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// SQLite or the operating system refused.
    #[error(
        "the library failed: {error} ({path}). What was in it before is unchanged; check the disk's free space and that you may write there",
        path = crate::escape::path(.path)
    )]
    Sqlite {
        /// What it said.
        error: rusqlite::Error,
        /// The library.
        path: PathBuf,
    },
    /// No such file.
    #[error(
        "expected a library at {path}, found nothing there. Make one with `lookalike index`, or choose another file",
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
    /// Written by another version of this program.
    #[error(
        "the library has version {found}; this program reads version {expected}. Open it with the Lookalike that wrote it, or update ({path}). It was not changed",
        expected = schema::VERSION,
        path = crate::escape::path(.path)
    )]
    Version {
        /// What the file says.
        found: i64,
        /// The library.
        path: PathBuf,
    },
    /// It may be read and not written.
    #[error(
        "the library can only be read ({why}); nothing was changed ({path}). Check that you may write there and that the disk has room; `lookalike library check` tells whether the file is damaged, `lookalike library backup` saves what is in it",
        path = crate::escape::path(.path)
    )]
    ReadOnly {
        /// What opening it for writing came to.
        why: String,
        /// The library.
        path: PathBuf,
    },
    /// A sample that is not in it.
    #[error("a sample that was named is not in the library {path}; no label was changed. `lookalike export` lists what is there", path = crate::escape::path(.path))]
    NoSample {
        /// The library.
        path: PathBuf,
    },
    /// A file that would have to be overwritten.
    #[error("{path} is there already and is not overwritten. Choose another name", path = crate::escape::path(.path))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It has no model yet.
    #[error("the library holds no model yet. Run `lookalike index FOLDER --model M --library L` first")]
    NoModel,
    /// The model in it cannot be read.
    #[error("the model in the library cannot be used: {0}")]
    Model(#[from] crate::model::ModelError),
}
