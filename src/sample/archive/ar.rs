//! Ar: the archives of object files and of Debian packages, with the long names of GNU, BSD and Microsoft's linker.
//! A Debian package is an archive of tars, which are opened as any archive in an archive.

use super::error::ArchiveError;
use super::extents::Exactly;
use super::named;
use super::source::Source;
use super::unpacker::Unpacker;
use std::io::{BufReader, Read, SeekFrom};
use std::path::Path;

/// The first bytes of an archive.
pub const MAGIC: &[u8] = b"!<arch>\n";
/// Bytes of the table of long names that are kept.
const MOST_NAMES: u64 = 16 << 20;
/// The longest name.
const MOST_NAME: usize = 4096;
/// Tables of symbols, which are no files.
const SYMBOLS: [&[u8]; 6] =
    [b"/", b"/SYM64/", b"__.SYMDEF", b"__.SYMDEF SORTED", b"__.SYMDEF_64", b"__.SYMDEF_64 SORTED"];

/// Whether an archive begins with these bytes: the mark alone, or a member.
pub fn is_ar(head: &[u8]) -> bool {
    head.strip_prefix(MAGIC)
        .is_some_and(|rest| rest.is_empty() || !named::is_text(head) || parse(rest).is_ok())
}

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let mut names = Vec::new();
    source.seek(SeekFrom::Start(MAGIC.len() as u64)).map_err(ArchiveError::damaged)?;
    let mut reader = BufReader::new(source);
    loop {
        let mut header = Vec::new();
        reader.by_ref().take(60).read_to_end(&mut header).map_err(ArchiveError::damaged)?;
        if header.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let (name, size) = parse(&header)?;
        let mut content = Exactly::new(&mut reader, size);
        member(unpacker, path, &mut names, &name, &mut content)?;
        // What is left of a member that is too large, and the byte that makes its size even.
        let left = content.left().saturating_add(size % 2);
        let left = i64::try_from(left).map_err(ArchiveError::damaged)?;
        reader.seek_relative(left).map_err(ArchiveError::damaged)?;
    }
}

/// The name and the size in a header.
fn parse(header: &[u8]) -> Result<(Vec<u8>, u64), ArchiveError> {
    let damaged = || ArchiveError::damaged("expected the header of a member, found other bytes");
    if header.get(58..60) != Some(b"`\n") {
        return Err(damaged());
    }
    let name = header.get(..16).unwrap_or_default().trim_ascii_end();
    let size = number(header.get(48..58).unwrap_or_default()).ok_or_else(damaged)?;
    Ok((name.to_vec(), size))
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits.trim_ascii()).ok()?.parse().ok()
}

/// Passes on one member, or keeps the table of long names.
fn member(
    unpacker: &mut Unpacker<'_>,
    path: &Path,
    names: &mut Vec<u8>,
    field: &[u8],
    content: &mut Exactly<impl Read>,
) -> Result<(), ArchiveError> {
    if field == b"//" {
        names.clear();
        content.take(MOST_NAMES).read_to_end(names).map_err(ArchiveError::damaged)?;
        return Ok(());
    }
    let name = if let Some(length) = field.strip_prefix(b"#1/").and_then(number) {
        // BSD: the name comes before the content, and ends with zeros.
        let mut name = Vec::new();
        content.take(length.min(MOST_NAME as u64)).read_to_end(&mut name).map_err(ArchiveError::damaged)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.truncate(end);
        name
    } else if let Some(offset) = field.strip_prefix(b"/").and_then(number) {
        long_name(names, offset)
    } else if SYMBOLS.contains(&field) {
        return Ok(());
    } else {
        field.strip_suffix(b"/").unwrap_or(field).to_vec()
    };
    if SYMBOLS.contains(&&name[..]) {
        return Ok(());
    }
    unpacker.budget.take_member()?;
    match unpacker.budget.read(content, ArchiveError::damaged) {
        Ok(bytes) => unpacker.take(path, &name, bytes),
        Err(error) => unpacker.fail(path, &name, error),
    }
}

/// The name at `offset` of the table: it ends with "/\n" (GNU) or a zero (Microsoft).
fn long_name(names: &[u8], offset: u64) -> Vec<u8> {
    let rest = usize::try_from(offset).ok().and_then(|offset| names.get(offset..)).unwrap_or_default();
    let rest = rest.get(..MOST_NAME).unwrap_or(rest);
    let end = rest.iter().position(|byte| matches!(byte, 0 | b'\n')).unwrap_or(rest.len());
    let name = rest.get(..end).unwrap_or_default();
    name.strip_suffix(b"/").unwrap_or(name).to_vec()
}
