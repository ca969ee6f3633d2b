//! The file that is shown: a dropped one, or a sample of the library.

use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::symbol::Symbol;
use crate::picture::Encoded;
use crate::sample::Sha256;
use std::path::Path;

/// What is known of the file without reading it again.
pub struct Shown<'a> {
    /// Where it was read from.
    pub path: &'a Path,
    /// Its digest.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// Its file format.
    pub kind: &'a str,
    /// The processor that its header names.
    pub architecture: Option<&'a str>,
    /// Its label in the library.
    pub label: Option<&'a str>,
    /// The symbol of the label.
    pub symbol: Symbol,
    /// Its picture, if it is at hand.
    pub picture: Option<&'a Encoded>,
    /// Its row id in the library file.
    pub id: Option<i64>,
}

/// What is known of the selected file.
pub fn shown(session: &Session, selection: Selection) -> Option<Shown<'_>> {
    match selection {
        Selection::Queried(sha256) => {
            let queried = session.queried(sha256)?;
            let sample = &queried.sample;
            Some(Shown {
                path: &sample.path,
                sha256: sample.sha256,
                size: sample.size,
                kind: sample.kind.name(),
                architecture: sample.architecture.map(|a| a.name()),
                label: None,
                symbol: Symbol::NONE,
                picture: queried.picture.as_deref(),
                id: None,
            })
        }
        Selection::InLibrary(sha256) => {
            let entry = session.contents.get(sha256)?;
            Some(Shown {
                path: entry.path,
                sha256: entry.sha256,
                size: entry.size,
                kind: entry.kind,
                architecture: entry.architecture,
                label: entry.label,
                symbol: session.slots.symbol(entry.label),
                picture: session.pictures.get(&sha256),
                id: Some(entry.id),
            })
        }
    }
}
