//! Archives appended to a program, as in self-extracting archives. The program stays a sample. Installers with formats of
//! their own (NSIS, Inno Setup) are recognised in `hints`.

use super::container::{Appended, Container};
use super::prefix::find_seven_zip;
use super::zip;
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Content, Fact, Notes, Overlay};
use crate::sample::formats::{elf, macho, pe};
use crate::sample::kind::FileKind;
use std::io::Cursor;

/// Bytes of an overlay that are searched for the start of an archive: the settings of an installer may come first.
const SEARCHED: u64 = 1 << 20;

/// Finds an archive that begins in the overlay of a program, which starts at `overlay`.
pub fn appended(bytes: Bytes<'_>, overlay: u64) -> Option<Appended> {
    let found = |name, offset, container| Appended { name, offset, members: None, container };
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
    })
}

/// Finds an archive behind a program of this kind. Reads its headers again.
pub fn find_appended(kind: FileKind, bytes: Bytes<'_>) -> Option<Appended> {
    let overlay: Fact<Option<Overlay>> = match kind {
        FileKind::Pe => pe::read_program(bytes).overlay,
        FileKind::Elf => elf::read_program(bytes).overlay,
        FileKind::MachO => macho::read_program(bytes).overlay,
        FileKind::MachOFat => macho::read_fat(bytes).overlay,
        _ => None,
    };
    appended(bytes, overlay??.offset)
}

/// Adds a hint if an archive is appended to what is in the file.
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
        // Documents and images that keep what is appended to them shut.
        Content::Other(notes) => (appended_zip(bytes, 1), notes),
    };
    if let Some(found) = found {
        let members = found.members.map(|members| format!(", {members} members")).unwrap_or_default();
        notes.hint(&format!("{} appended", found.name), format!("at offset {}{members}", found.offset));
    }
}
