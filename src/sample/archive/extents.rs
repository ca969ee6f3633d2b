//! Parts of a file: a member of a disk image is in several places, and is read as one stream.

use super::error::ArchiveError;
use super::source::Source;
use std::io::{self, Read, SeekFrom};

/// A part of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it is in the image; `None` if it is not recorded and reads as zeros.
    pub offset: Option<u64>,
    /// Its size in bytes.
    pub size: u64,
}

/// Reads the parts of a member one after the other. A part outside the image is an error and not an end.
pub struct Extents<'a> {
    source: &'a mut dyn Source,
    parts: &'a [Part],
    /// Bytes of the first part that were read.
    at: u64,
}

impl<'a> Extents<'a> {
    /// A reader of `parts` of `source`.
    pub fn new(source: &'a mut dyn Source, parts: &'a [Part]) -> Self {
        Self { source, parts, at: 0 }
    }
}

impl Read for Extents<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some((part, rest)) = self.parts.split_first() else { return Ok(0) };
            let left = part.size.saturating_sub(self.at);
            if left == 0 {
                self.parts = rest;
                self.at = 0;
                continue;
            }
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else {
                return Ok(0);
            };
            let read = match part.offset {
                None => {
                    buffer.fill(0);
                    most
                }
                Some(offset) => {
                    self.source.seek(SeekFrom::Start(offset.saturating_add(self.at)))?;
                    self.source.read(buffer)?
                }
            };
            if read == 0 {
                return Err(cut_off(left));
            }
            self.at += read as u64;
            return Ok(read);
        }
    }
}

/// The error that `missing` bytes are not there.
pub fn cut_off(missing: u64) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("{missing} bytes of it are missing"))
}

/// A reader of exactly `size` bytes; if there are fewer, an error and not an end.
pub struct Exactly<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Exactly<R> {
    /// Reads `size` bytes of `reader`.
    pub fn new(reader: R, size: u64) -> Self {
        Self { reader, left: size }
    }

    /// Bytes that were not read.
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let read = self.reader.read(buffer)?;
        if read == 0 {
            return Err(cut_off(self.left));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// `size` bytes at `offset`. Memory is taken only for bytes that are there.
pub fn read_at(source: &mut dyn Source, offset: u64, size: u64) -> io::Result<Vec<u8>> {
    let bytes = read_up_to(source, offset, size)?;
    let missing = size.saturating_sub(bytes.len() as u64);
    if missing > 0 { Err(cut_off(missing)) } else { Ok(bytes) }
}

/// The same, or fewer bytes at the end of the file.
pub fn read_up_to(source: &mut dyn Source, offset: u64, size: u64) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    source.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The size of a file.
pub fn size_of(source: &mut dyn Source) -> Result<u64, ArchiveError> {
    source.seek(SeekFrom::End(0)).map_err(ArchiveError::damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn parts_are_one_stream_and_what_is_missing_is_an_error() {
        let mut source = Cursor::new(b"0123456789".to_vec());
        let parts = [
            Part { offset: Some(8), size: 2 },
            Part { offset: None, size: 3 },
            Part { offset: Some(0), size: 0 },
            Part { offset: Some(1), size: 4 },
        ];
        let mut read = Vec::new();
        Extents::new(&mut source, &parts).read_to_end(&mut read).unwrap();
        assert_eq!(read, b"89\x00\x00\x001234");
        let outside = [Part { offset: Some(7), size: 9 }];
        let error = Extents::new(&mut source, &outside).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "6 bytes of it are missing");
        assert!(Exactly::new(&b"abc"[..], 4).read_to_end(&mut Vec::new()).is_err());
        assert_eq!(read_up_to(&mut source, 8, u64::MAX).unwrap(), b"89");
        assert!(read_at(&mut source, u64::MAX, 1).is_err());
    }
}
