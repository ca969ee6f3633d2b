//! Reading a few bytes at an offset, for headers that are not among the first bytes of a file.

use std::io::{Read, Seek, SeekFrom};

/// Reads at most so many bytes at an offset; fewer where the file ends or cannot be read.
pub type ReadAt<'a> = &'a mut dyn FnMut(u64, usize) -> Vec<u8>;

/// Reads at most `len` bytes of `source` at `offset`. An error gives fewer bytes: reading the whole file reports it.
pub fn read_at(source: &mut (impl Read + Seek + ?Sized), offset: u64, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    if source.seek(SeekFrom::Start(offset)).is_ok() {
        let _ = source.take(len as u64).read_to_end(&mut bytes);
    }
    bytes
}
