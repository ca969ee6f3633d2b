//! Reads a zip: lists its members, and passes on each of them.

use super::directory::{Entry, Header, list};
use super::member::Reader;
use super::{name, package};
use crate::sample::archive::error::ArchiveError;
use crate::sample::archive::member::Note;
use crate::sample::archive::source::Source;
use crate::sample::archive::unpacker::Unpacker;
use std::collections::HashMap;
use std::path::Path;

/// The most bytes of the target of a symbolic link. What is longer is no target.
const MAX_LINK: u64 = 1024;

/// What decides the content of a member: where its bytes are, and how they are read.
#[derive(PartialEq, Eq, Hash)]
struct Content {
    data: u64,
    compressed: u64,
    flags: u16,
    method: u16,
    crc: u32,
    size: u64,
}

impl Content {
    fn of(entry: &Entry, header: &Header) -> Self {
        let Header { flags, method, crc, size, .. } = *header;
        Self { data: entry.data, compressed: entry.compressed, flags, method, crc, size }
    }
}

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let appended = unpacker.zip_from.take();
    let from = appended.unwrap_or(0);
    let directory = list(source, from, unpacker.budget.members_left()).map_err(ArchiveError::damaged)?;
    if directory.entries.is_empty() {
        return Err(if directory.has_end && directory.missing == 0 {
            ArchiveError::Empty
        } else {
            ArchiveError::damaged("it has no central directory and no file with a header")
        });
    }
    let mut reader = Reader::new(source, unpacker.passwords).map_err(ArchiveError::damaged)?;
    let guess = name::guess(directory.entries.iter().filter_map(|entry| entry.header()));
    // Once is enough: with the first file.
    let around = match directory.around {
        (0, 0) => None,
        _ if appended.is_some() => None,
        (before, 0) => Some(Note::problem(format!("{before} bytes before the zip belong to no file"))),
        (0, after) => Some(Note::problem(format!("{after} bytes after the zip belong to no file"))),
        (before, after) => Some(Note::problem(format!(
            "{before} bytes before the zip and {after} bytes after it belong to no file"
        ))),
    };
    let between = directory.between.map(|(offset, bytes)| {
        Note::problem(format!(
            "{bytes} bytes between the files of the zip, from offset {offset}, belong to no file"
        ))
    });
    let mut remarks: Vec<Note> = around.into_iter().chain(between).collect();
    if let Some(mut notes) = package::package(&mut reader, unpacker.budget, &directory.entries) {
        notes.append(&mut remarks);
        if !directory.has_end {
            notes
                .push(Note::problem("the central directory of the zip is missing: it is cut off or damaged"));
        }
        return Err(ArchiveError::Document(notes));
    }
    // The names of the members that were read, by what decides their content.
    let mut contents: HashMap<Content, Vec<u8>> = HashMap::new();
    for entry in &directory.entries {
        let Some(header) = entry.header() else { continue };
        let empty = header.size == 0 && (header.compressed <= 2 || entry.central.is_none());
        if (header.name.ends_with(b"/") && empty) || (entry.link && header.size <= MAX_LINK) {
            continue;
        }
        unpacker.budget.take_member()?;
        let name = name::name(header, guess);
        if directory.in_volumes && entry.local.is_none() {
            let error = "its data is in another volume of this zip. Put all volumes into one folder";
            unpacker.fail(path, &name, ArchiveError::damaged(error))?;
            continue;
        }
        let content = Content::of(entry, header);
        if let Some(first) = contents.get(&content) {
            let first = crate::escape::text(&String::from_utf8_lossy(first));
            unpacker.fail(path, &name, ArchiveError::Shared(first))?;
            continue;
        }
        match reader.read(unpacker.budget, entry) {
            Ok(mut member) => {
                contents.insert(content, name.clone());
                member.notes.append(&mut remarks);
                unpacker.take(path, &name, member)?;
            }
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
