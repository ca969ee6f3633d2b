//! The error that there was nothing to read: no file, or none that could be used.

use super::names::some_of;
use crate::escape;
use crate::sample::Skipped;
use std::path::PathBuf;

/// Why there is nothing to work with.
#[derive(Debug, thiserror::Error)]
pub enum NothingToRead {
    /// These folders are empty.
    #[error("expected files in {}, found an empty folder. Put files there, or choose another folder", names(.0))]
    Empty(Vec<PathBuf>),
    /// In these folders there are only files and folders of these names, which systems leave.
    #[error("expected files in {}, found only what systems leave in folders ({}). Name such a file itself to read it", names(.0), some_of(.1))]
    PassedOver(Vec<PathBuf>, Vec<String>),
    /// This is the first path that could not be listed.
    #[error("expected files, found none: {} {}", escape::path(&.0.path), .0.reason)]
    Unlisted(Skipped),
    /// Of so many files these were skipped, which is all of them.
    #[error("{}", unusable(*.0, .1))]
    Unusable(usize, Vec<Skipped>),
}

impl NothingToRead {
    /// Nothing was found below `roots`.
    pub fn not_found(roots: &[PathBuf], skipped: Vec<Skipped>, passed_over: Vec<String>) -> Self {
        match skipped.into_iter().next() {
            Some(first) => Self::Unlisted(first),
            None if passed_over.is_empty() => Self::Empty(roots.to_owned()),
            None => Self::PassedOver(roots.to_owned(), passed_over),
        }
    }

    /// The files that were skipped, with the reasons.
    pub fn into_skipped(self) -> Vec<Skipped> {
        match self {
            Self::Unusable(_, skipped) => skipped,
            Self::Unlisted(first) => vec![first],
            Self::Empty(_) | Self::PassedOver(..) => Vec::new(),
        }
    }

    /// Whether another password may help with the file that the message names.
    pub fn needs_password(&self) -> bool {
        match self {
            // Of the file whose reason is shown.
            Self::Unusable(_, skipped) => skipped.first().is_some_and(Skipped::needs_password),
            Self::Empty(_) | Self::PassedOver(..) | Self::Unlisted(_) => false,
        }
    }
}

fn names(roots: &[PathBuf]) -> String {
    roots.iter().map(|root| escape::path(root)).collect::<Vec<_>>().join(", ")
}

fn unusable(found: usize, skipped: &[Skipped]) -> String {
    let first = skipped.first().map(|first| format!("{} {}", escape::path(&first.path), first.reason));
    match (found.max(skipped.len()), first) {
        (1, Some(first)) => first,
        (n, Some(first)) => format!("none of {n} files could be used; the first: {first}"),
        (n, None) => format!("none of {n} files could be used"),
    }
}
