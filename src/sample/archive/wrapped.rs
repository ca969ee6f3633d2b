//! Gzip (RFC 1952), xz and zstd (RFC 8878): a tar or a single file, compressed as a whole.

use super::container::Container;
use super::error::ArchiveError;
use super::member_path::SEPARATOR;
use super::tar;
use super::unpacker::{Source, Unpacker};
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

/// Bytes that are enough to recognise a tar.
const HEAD: u64 = 512;

/// Decompresses the file and passes its members to `unpacker`.
pub fn read(
    unpacker: &mut Unpacker<'_>,
    path: &Path,
    container: Container,
    source: &mut dyn Source,
) -> Result<(), ArchiveError> {
    let source = BufReader::new(source);
    let memory = unpacker.budget.limits.memory_kib;
    let mut reader: Box<dyn Read + '_> = match container {
        Container::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Container::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(source, true, memory)),
        _ => {
            let window = u64::from(memory) << 10;
            let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(source, window);
            Box::new(decoder.map_err(ArchiveError::damaged)?)
        }
    };
    let mut head = Vec::new();
    reader.by_ref().take(HEAD).read_to_end(&mut head).map_err(ArchiveError::damaged)?;
    let is_tar = Container::of(&head) == Some(Container::Tar);
    let left = unpacker.budget.left();
    let mut whole = Cursor::new(head).chain(reader);
    if is_tar {
        // Empty members take time but no bytes of the budget, so the tar as a whole is limited too.
        return tar::read(unpacker, path, whole.take(left));
    }
    unpacker.budget.take_member()?;
    let bytes = unpacker.budget.read(&mut whole, ArchiveError::damaged)?;
    // The member has the name of the archive without its extension.
    let name = path.file_stem().unwrap_or_default().as_encoded_bytes().to_vec();
    let name = name.rsplit(|byte| *byte == SEPARATOR as u8).next().unwrap_or_default().to_vec();
    unpacker.take(path, &name, bytes)
}
