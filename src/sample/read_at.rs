//! Reading so many bytes of a file: at an offset, for headers that are not among its first bytes, or as many as a
//! buffer takes.

use std::io::{self, Read, Seek, SeekFrom};

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

/// Fills `buffer`, or as much of it as `reader` has bytes; returns how much.
pub fn read_most(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
