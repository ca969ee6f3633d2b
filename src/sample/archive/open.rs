//! Opens archives: chooses the reader of the format.

use super::appended::{find_appended, hosts_archives};
use super::container::{Appended, Container};
use super::error::ArchiveError;
use super::limits::Budget;
use super::recognise::recognise;
use super::source::Source;
use super::unpacker::{Formats, OnMember, Unpacker};
use super::{ar, cab, cpio, iso, ole, rar, rpm, seven_zip, tar, wrapped, zip};
use crate::sample::passwords::Passwords;
use std::io::BufReader;
use std::path::Path;

/// For archives in archives.
const FORMATS: Formats = Formats { recognise, read: read_archive, hosts_archives, find_appended };

/// Passes every file in an archive, and in the archives in it, to `on_member`. Fails if the archive itself cannot be
/// read; the members that could be read are passed on before.
pub fn open(
    path: &Path,
    container: Container,
    source: &mut dyn Source,
    passwords: &Passwords,
    budget: &mut Budget,
    on_member: OnMember<'_>,
) -> Result<(), ArchiveError> {
    let mut unpacker = Unpacker::new(FORMATS, passwords, budget, on_member);
    read_archive(&mut unpacker, path, container, source)?;
    match (unpacker.files, unpacker.passed_over) {
        (0, true) => Err(ArchiveError::OnlyClutter),
        (0, false) => Err(ArchiveError::Empty),
        _ => Ok(()),
    }
}

/// The same for an archive that is appended to `path`.
pub fn open_appended(
    path: &Path,
    found: &Appended,
    source: &mut dyn Source,
    passwords: &Passwords,
    budget: &mut Budget,
    on_member: OnMember<'_>,
) -> Result<(), ArchiveError> {
    let mut unpacker = Unpacker::new(FORMATS, passwords, budget, on_member);
    match unpacker.read_appended(path, found, source) {
        // Its name tells it from the program.
        Err(error) => unpacker.report(path, found.name.as_bytes(), error),
        Ok(()) => Ok(()),
    }
}

fn read_archive(
    unpacker: &mut Unpacker<'_>,
    path: &Path,
    container: Container,
    source: &mut dyn Source,
) -> Result<(), ArchiveError> {
    match container {
        Container::Zip => zip::read(unpacker, path, source),
        Container::SevenZip => seven_zip::read(unpacker, path, source),
        Container::Tar => tar::read(unpacker, path, source),
        Container::Ar => ar::read(unpacker, path, source),
        Container::Cpio => cpio::read(unpacker, path, BufReader::new(source)),
        Container::Rpm => rpm::read(unpacker, path, source),
        Container::Cab => cab::read(unpacker, path, source),
        Container::Iso => iso::read(unpacker, path, source),
        Container::Msi => ole::read(unpacker, path, source),
        Container::Rar => rar::read(unpacker, path, source),
        Container::Gzip | Container::Xz | Container::Zstd | Container::Compressed(_) => {
            wrapped::read(unpacker, path, container, source)
        }
        Container::NotOpened(what) => Err(ArchiveError::NotOpened(what)),
    }
}
