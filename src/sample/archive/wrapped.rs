//! A tar or a single file, compressed as a whole: gzip (RFC 1952), xz, zstd (RFC 8878), and the formats of `streams`.

use super::container::Compression;
use super::container::Container;
use super::error::ArchiveError;
use super::member::{Member, Note};
use super::member_path::SEPARATOR;
use super::source::Source;
use super::streams::Streams;
use super::tar;
use super::unpacker::Unpacker;
use std::io::{self, Cursor, Read as _, SeekFrom};
use std::path::Path;

/// Bytes that are enough to recognise a tar.
const HEAD: u64 = 512;

/// A reader of the decompressed bytes, which takes at most so much memory. Fails if this is no such format.
pub fn decompress(
    container: Container,
    source: &mut dyn Source,
    memory_kib: u32,
) -> Result<Streams<&mut dyn Source>, ArchiveError> {
    let compression = match container {
        Container::Compressed(compression) => compression,
        Container::Gzip => Compression::Gzip,
        Container::Xz => Compression::Xz,
        Container::Zstd => Compression::Zstd,
        _ => return Err(ArchiveError::damaged("expected compressed bytes, found an archive")),
    };
    let at = source.stream_position().map_err(ArchiveError::damaged)?;
    let size = source.seek(SeekFrom::End(0)).map_err(ArchiveError::damaged)?;
    source.seek(SeekFrom::Start(at)).map_err(ArchiveError::damaged)?;
    Streams::new(source, size, compression, memory_kib).map_err(ArchiveError::damaged)
}

/// Decompresses the file and passes its members to `unpacker`.
pub fn read(
    unpacker: &mut Unpacker<'_>,
    path: &Path,
    container: Container,
    source: &mut dyn Source,
) -> Result<(), ArchiveError> {
    let mut reader = decompress(container, source, unpacker.budget.limits.memory_kib)?;
    let mut head = Vec::new();
    reader.by_ref().take(HEAD).read_to_end(&mut head).map_err(ArchiveError::damaged)?;
    let is_tar = Container::of(&head) == Some(Container::Tar);
    let left = unpacker.budget.left();
    let mut whole = Cursor::new(head).chain(&mut reader);
    if is_tar {
        // Empty members take time but no bytes of the budget, so the tar as a whole is limited too.
        let mut limited = whole.take(left);
        tar::read(unpacker, path, &mut limited)?;
        let at_limit = limited.limit() == 0;
        if at_limit && reader.read(&mut [0]).map_err(ArchiveError::damaged)? > 0 {
            return Err(ArchiveError::Limit("the most bytes that an archive may become"));
        }
        // What is left of the tar: zeros, and its last stream.
        io::copy(&mut reader.by_ref().take(left), &mut io::sink()).map_err(ArchiveError::damaged)?;
        let trailing = reader.trailing().map_err(ArchiveError::damaged)?;
        if trailing > 0 {
            unpacker.remark(path, ArchiveError::Trailing(trailing));
        }
        return Ok(());
    }
    unpacker.budget.take_member()?;
    let mut member = Member::from(unpacker.budget.read(&mut whole, ArchiveError::damaged)?);
    let trailing = reader.trailing().map_err(ArchiveError::damaged)?;
    if trailing > 0 {
        member.notes.push(Note::problem(format!("{trailing} bytes after the compressed data were ignored")));
    }
    // The member has the name of the archive without its extension.
    let name = path.file_stem().unwrap_or_default().as_encoded_bytes().to_vec();
    let name = name.rsplit(|byte| *byte == SEPARATOR as u8).next().unwrap_or_default().to_vec();
    unpacker.take(path, &name, member)
}
