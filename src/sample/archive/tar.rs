//! Tar (POSIX.1-1988 with the long names of GNU and pax). Links, devices and folders are ignored.

use super::error::ArchiveError;
use super::unpacker::Unpacker;
use std::io::Read;
use std::path::Path;

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, reader: impl Read) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(reader);
    let members = archive.entries().map_err(ArchiveError::damaged)?;
    for member in members {
        let mut member = member.map_err(ArchiveError::damaged)?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        unpacker.budget.take_member()?;
        let name = member.path_bytes().into_owned();
        match unpacker.budget.read(&mut member, ArchiveError::damaged) {
            Ok(bytes) => unpacker.take(path, &name, bytes)?,
            Err(error) => unpacker.fail(path, &name, error)?,
        }
    }
    Ok(())
}
