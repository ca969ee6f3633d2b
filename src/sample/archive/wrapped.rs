//! A tar or a single file, compressed as a whole: gzip (RFC 1952), xz, zstd (RFC 8878), and the formats of `streams`.

use super::container::Container;
use super::error::ArchiveError;
use super::member_path::SEPARATOR;
use super::streams::Streams;
use super::tar;
use super::unpacker::{Source, Unpacker};
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

/// Bytes that are enough to recognise a tar.
const HEAD: u64 = 512;

/// Reads the decompressed bytes of a file.
pub enum Decompressor<'a> {
    Streams(Box<Streams<&'a mut dyn Source>>),
    Other(Box<dyn Read + 'a>),
}

impl Read for Decompressor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The reader of xz takes an empty buffer for the end of a block.
        if buffer.is_empty() {
            return Ok(0);
        }
        match self {
            Self::Streams(reader) => reader.read(buffer),
            Self::Other(reader) => reader.read(buffer),
        }
    }
}

/// A reader of the decompressed bytes, which takes at most so much memory. Fails if this is no such format.
pub fn decompress(
    container: Container,
    source: &mut dyn Source,
    memory_kib: u32,
) -> Result<Decompressor<'_>, ArchiveError> {
    Ok(match container {
        Container::Compressed(compression) => {
            let streams = Streams::new(source, compression, memory_kib).map_err(ArchiveError::damaged)?;
            Decompressor::Streams(Box::new(streams))
        }
        Container::Gzip => {
            Decompressor::Other(Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(source))))
        }
        Container::Xz => {
            let source = BufReader::new(source);
            Decompressor::Other(Box::new(lzma_rust2::XzReader::new_mem_limit(source, true, memory_kib)))
        }
        Container::Zstd => {
            let (source, window) = (BufReader::new(source), u64::from(memory_kib) << 10);
            let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(source, window);
            Decompressor::Other(Box::new(decoder.map_err(ArchiveError::damaged)?))
        }
        _ => return Err(ArchiveError::damaged("expected compressed bytes, found an archive")),
    })
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
        tar::read(unpacker, path, whole.take(left))?;
    } else {
        unpacker.budget.take_member()?;
        let bytes = unpacker.budget.read(&mut whole, ArchiveError::damaged)?;
        // The member has the name of the archive without its extension.
        let name = path.file_stem().unwrap_or_default().as_encoded_bytes().to_vec();
        let name = name.rsplit(|byte| *byte == SEPARATOR as u8).next().unwrap_or_default().to_vec();
        unpacker.take(path, &name, bytes)?;
    }
    if let Decompressor::Streams(mut streams) = reader {
        // What is left of the tar: zeros, and its last stream.
        io::copy(&mut streams.by_ref().take(left), &mut io::sink()).map_err(ArchiveError::damaged)?;
        let trailing = streams.trailing().map_err(ArchiveError::damaged)?;
        if trailing > 0 {
            unpacker.remark(path, ArchiveError::Trailing(trailing));
        }
    }
    Ok(())
}
