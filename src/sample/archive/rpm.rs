//! RPM packages: two headers, and a compressed cpio with the files.

use super::container::Container;
use super::cpio;
use super::error::ArchiveError;
use super::extents::{read_at, read_up_to};
use super::source::Source;
use super::unpacker::Unpacker;
use super::wrapped;
use std::io::{BufReader, SeekFrom};
use std::path::Path;

/// The first bytes of a package.
pub const MAGIC: &[u8] = b"\xed\xab\xee\xdb";
/// Bytes before the first header.
const LEAD: u64 = 96;

/// Reads the package and passes its files to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    // The signatures are padded to 8 bytes, the other header is not.
    let header = header_end(source, LEAD)?.next_multiple_of(8);
    let payload = header_end(source, header)?;
    let head = read_up_to(source, payload, 4096).map_err(ArchiveError::damaged)?;
    source.seek(SeekFrom::Start(payload)).map_err(ArchiveError::damaged)?;
    if cpio::is_cpio(&head) {
        return cpio::read(unpacker, path, BufReader::new(source));
    }
    let Some(container) = Container::of(&head) else {
        return Err(ArchiveError::Method("a compression or a format that is unknown".to_owned()));
    };
    let left = unpacker.budget.left();
    let reader = wrapped::decompress(container, source, unpacker.budget.limits.memory_kib)?;
    cpio::read(unpacker, path, BufReader::new(std::io::Read::take(reader, left)))
}

/// Where the header at `start` ends.
fn header_end(source: &mut dyn Source, start: u64) -> Result<u64, ArchiveError> {
    let header = read_at(source, start, 16).map_err(ArchiveError::damaged)?;
    let [0x8e, 0xad, 0xe8, _, _, _, _, _, a, b, c, d, size @ ..] = &header[..] else {
        return Err(ArchiveError::damaged("expected a header, found other bytes"));
    };
    let entries = u64::from(u32::from_be_bytes([*a, *b, *c, *d]));
    let size = size.first_chunk().map_or(0, |size| u64::from(u32::from_be_bytes(*size)));
    // At most 2³² entries of 16 bytes each.
    Ok(start + 16 + 16 * entries + size)
}
