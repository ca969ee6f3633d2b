//! Archives appended to a program, as in self-extracting archives, and those in or behind a document or an image. The
//! file stays a sample. Installers with formats of their own (NSIS, Inno Setup) are recognised in `hints`.
//!
//! What is in the sections of a program belongs to it: only what no header describes is an appended archive.

use super::container::{Appended, Container, HEAD};
use super::documents::{document, keeps_archives_shut};
use super::prefix::find_seven_zip;
use super::zip;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Content, Fact, Notes, Overlay};
use crate::sample::formats::listing::FileLimits;
use crate::sample::formats::{elf, macho, pe};
use crate::sample::kind::FileKind;
use std::io::Cursor;

/// Bytes of an overlay that are searched for the start of an archive: the settings of an installer may come first.
const SEARCHED: u64 = 1 << 20;

/// Finds an archive that begins in the overlay of a program, which starts at `overlay`.
pub fn appended(bytes: Bytes<'_>, overlay: u64) -> Option<Appended> {
    let found = |name, offset, container| Appended { name, offset, members: None, container, from: overlay };
    let rest = bytes.from(overlay);
    let rest = rest.get(..SEARCHED as usize).unwrap_or(rest);
    let find = |mark: &[u8]| memchr::memmem::find(rest, mark).map(|at| overlay + at as u64);
    if let Some(zip) = appended_zip(bytes, overlay) {
        return Some(zip);
    }
    if let Some(offset) = find_seven_zip(rest) {
        return Some(found("7z archive", overlay + offset, Some(Container::SevenZip)));
    }
    if let Some(offset) = find(b"Rar!\x1a\x07") {
        let container = Container::of(bytes.from(offset));
        return Some(found("RAR archive", offset, container));
    }
    if let Some(offset) = find(b"MSCF\0\0\0\0") {
        let container = Container::of(bytes.from(offset));
        return container.is_some().then(|| found("cabinet", offset, container));
    }
    let name = match Container::of(rest)? {
        Container::Tar => "tar archive",
        Container::Gzip => "gzip data",
        Container::Xz => "xz data",
        Container::Zstd => "zstd data",
        _ => "archive",
    };
    Some(found(name, overlay, Container::of(rest)))
}

/// A zip that ends the file, or comes before a signature, and begins at or after `from`.
pub fn appended_zip(bytes: Bytes<'_>, from: u64) -> Option<Appended> {
    if bytes.kept().len() as u64 != bytes.size() {
        return None;
    }
    let (offset, members) = zip::last_zip(&mut Cursor::new(bytes.kept()))?;
    (offset >= from && members > 0).then_some(Appended {
        name: "zip archive",
        offset,
        members: Some(members),
        container: Some(Container::Zip),
        from,
    })
}

/// An archive in or behind a document, an image, or another file that is no archive. The marks are long enough to be
/// searched for in all of it.
fn appended_to_other(bytes: Bytes<'_>) -> Option<Appended> {
    // A zip itself, as documents of several formats are.
    if Container::of(bytes.kept()) == Some(Container::Zip) {
        return None;
    }
    if let Some(zip) = appended_zip(bytes, 1) {
        return Some(Appended { from: 0, ..zip });
    }
    let kept = bytes.kept();
    let found = |name, offset: u64, container| Appended { name, offset, members: None, container, from: 0 };
    if let Some(offset) = find_seven_zip(kept).filter(|offset| *offset > 0) {
        return Some(found("7z archive", offset, Some(Container::SevenZip)));
    }
    let mut marks = memchr::memmem::find_iter(kept, b"Rar!\x1a\x07").map(|at| at as u64);
    let offset = marks.find(|at| *at > 0 && Container::of(bytes.from(*at)) == Some(Container::Rar))?;
    Some(found("RAR archive", offset, Some(Container::Rar)))
}

/// Whether an archive may be appended to a file of this kind with these first bytes, which stays a sample.
pub fn hosts_archives(kind: FileKind, head: &[u8]) -> bool {
    kind.is_executable() || keeps_archives_shut(kind, head)
}

/// Finds an archive behind a program, a document or an image. Reads the headers of a program again.
pub fn find_appended(kind: FileKind, bytes: Bytes<'_>) -> Option<Appended> {
    let limits = FileLimits::without_entropy();
    let overlay: Fact<Option<Overlay>> = match kind {
        FileKind::Pe => pe::read_program(bytes, limits).overlay,
        FileKind::Elf => elf::read_program(bytes, limits).overlay,
        FileKind::MachO => macho::read_program(bytes, limits).overlay,
        FileKind::MachOFat => macho::read_fat(bytes, limits).overlay,
        _ => {
            let head = bytes.kept();
            let head = head.get(..HEAD as usize).unwrap_or(head);
            return if keeps_archives_shut(kind, head) { appended_to_other(bytes) } else { None };
        }
    };
    appended(bytes, overlay??.offset)
}

/// Adds hints: what a document is, and whether an archive is appended to what is in the file.
pub fn add_hint(bytes: Bytes<'_>, content: &mut Content) {
    let (found, notes): (_, &mut Notes) = match content {
        Content::Program(program) => {
            let found = program.overlay.flatten().and_then(|overlay| appended(bytes, overlay.offset));
            (found, &mut program.notes)
        }
        Content::Fat(fat) => {
            let found = fat.overlay.flatten().and_then(|overlay| appended(bytes, overlay.offset));
            (found, &mut fat.notes)
        }
        Content::Other(notes) => {
            if let Some(name) = document(bytes.kept()) {
                notes.hint(name, "its header is one");
            }
            (appended_to_other(bytes), notes)
        }
    };
    if let Some(found) = found {
        let members = match found.members {
            None => String::new(),
            Some(1) => ", 1 member".to_owned(),
            Some(members) => format!(", {members} members"),
        };
        notes.hint(&format!("{} appended", found.name), format!("at offset {}{members}", found.offset));
    }
}
