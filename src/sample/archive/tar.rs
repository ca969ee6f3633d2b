//! Tar (POSIX.1-1988 with GNU's and pax's long names). Links, devices and folders are no files.

use super::{ArchiveError, Opening};
use std::io::Read;
use std::path::Path;

pub fn open(opening: &mut Opening<'_>, path: &Path, reader: impl Read) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(reader);
    let members = archive.entries().map_err(ArchiveError::damaged)?;
    for member in members {
        let mut member = member.map_err(ArchiveError::damaged)?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        opening.budget.take_member()?;
        let name = member.path_bytes().into_owned();
        match opening.budget.read(&mut member, ArchiveError::damaged) {
            Ok(bytes) => opening.member(path, &name, bytes)?,
            Err(error) => opening.failed(path, &name, error)?,
        }
    }
    Ok(())
}
