//! Gzip (RFC 1952), xz and zstd (RFC 8878): a tar, or a single file, compressed as a whole.

use super::{ArchiveError, Container, Opening, Source, tar};
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

/// Bytes by which a tar is told.
const HEAD: u64 = 512;

pub fn open(
    opening: &mut Opening<'_>,
    path: &Path,
    container: Container,
    source: &mut dyn Source,
) -> Result<(), ArchiveError> {
    let source = BufReader::new(source);
    let memory = opening.budget.limits.memory_kib;
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
    let left = opening.budget.left();
    let mut whole = Cursor::new(head).chain(reader);
    if is_tar {
        // A tar of empty members would cost time that no member pays for.
        return tar::open(opening, path, whole.take(left));
    }
    opening.budget.take_member()?;
    let bytes = opening.budget.read(&mut whole, ArchiveError::damaged)?;
    // Named after the archive, without what says how it is compressed.
    let name = path.file_stem().unwrap_or_default().as_encoded_bytes().to_vec();
    let name = name.rsplit(|byte| *byte == super::SEPARATOR as u8).next().unwrap_or_default().to_vec();
    opening.member(path, &name, bytes)
}
