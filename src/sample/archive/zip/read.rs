//! Reads a zip: lists its members, and passes on each of them.

use super::directory::list;
use super::member::Reader;
use super::{name, package};
use crate::sample::archive::error::ArchiveError;
use crate::sample::archive::unpacker::{Source, Unpacker};
use std::path::Path;

/// The most bytes of the target of a symbolic link. What is longer is no target.
const MAX_LINK: u64 = 1024;

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let directory = list(source, unpacker.budget.members_left()).map_err(ArchiveError::damaged)?;
    if directory.entries.is_empty() {
        return Err(if directory.has_end && directory.missing == 0 {
            ArchiveError::Empty
        } else {
            ArchiveError::damaged("it has no central directory and no file with a header")
        });
    }
    let mut reader = Reader::new(source, unpacker.passwords).map_err(ArchiveError::damaged)?;
    if let Some(kind) = package::package(&mut reader, unpacker.budget, &directory.entries) {
        return Err(ArchiveError::Document(kind));
    }
    let guess = name::guess(directory.entries.iter().filter_map(|entry| entry.header()));
    for entry in &directory.entries {
        let Some(header) = entry.header() else { continue };
        let empty = header.size == 0 && (header.compressed <= 2 || entry.central.is_none());
        if (header.name.ends_with(b"/") && empty) || (entry.link && header.size <= MAX_LINK) {
            continue;
        }
        unpacker.budget.take_member()?;
        let name = name::name(header, guess);
        match reader.read(unpacker.budget, entry) {
            Ok(member) => unpacker.take(path, &name, member)?,
            Err(error) => unpacker.fail(path, &name, error)?,
        }
    }
    if !directory.has_end {
        return Err(ArchiveError::damaged(
            "its central directory is missing; the files whose own headers are there were read",
        ));
    }
    if directory.missing > 0 {
        return Err(ArchiveError::damaged(format!(
            "{} entries are missing from its central directory",
            directory.missing
        )));
    }
    Ok(())
}
