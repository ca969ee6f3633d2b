//! A zip with one member, put together in memory around a part of another file: it lets the `zip` crate decompress a
//! member whose headers are wrong or missing.

use super::directory::Header;
use crate::sample::archive::source::Source;
use std::io::{self, Read, Seek, SeekFrom};

/// The name of the member.
const NAME: &[u8] = b"m";

/// A source that reads as a zip with one member.
pub struct Splice<'a> {
    source: &'a mut dyn Source,
    /// Before the data: the local header.
    front: Vec<u8>,
    /// The offset and size of the data in `source`.
    data: (u64, u64),
    /// After the data: the central directory and its end.
    back: Vec<u8>,
    at: u64,
    /// The offset in `source`, if it is known: seeking costs a system call.
    source_at: Option<u64>,
}

impl<'a> Splice<'a> {
    /// A zip whose member has this header, and `size` bytes at `offset` of `source` as its data.
    pub fn new(source: &'a mut dyn Source, offset: u64, size: u64, header: &Header) -> Self {
        // The field that describes AES encryption (WinZip's AE-x).
        let aes = header.extra_field(0x9901).filter(|_| header.method == 99).unwrap_or_default();
        let mut extra = Vec::new();
        if !aes.is_empty() {
            extra.extend(0x9901_u16.to_le_bytes());
            extra.extend((aes.len() as u16).to_le_bytes());
            extra.extend(aes);
        }
        let mut wide = Vec::new();
        for number in [header.size, size] {
            if number >= u64::from(u32::MAX) {
                wide.extend(number.to_le_bytes());
            }
        }
        if !wide.is_empty() {
            extra.extend(1_u16.to_le_bytes());
            extra.extend((wide.len() as u16).to_le_bytes());
            extra.extend(wide);
        }
        // Versions, flags, method, time, digest and sizes are the same in both headers.
        let mut common = Vec::new();
        common.extend(63_u16.to_le_bytes());
        common.extend(header.flags.to_le_bytes());
        common.extend(header.method.to_le_bytes());
        common.extend(header.time.to_le_bytes());
        common.extend(header.crc.to_le_bytes());
        for number in [size, header.size] {
            common.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        }
        common.extend((NAME.len() as u16).to_le_bytes());
        common.extend((extra.len() as u16).to_le_bytes());
        let front = [&b"PK\x03\x04"[..], &common, NAME, &extra].concat();
        let mut back = [&b"PK\x01\x02"[..], &63_u16.to_le_bytes(), &common, &[0; 14], NAME, &extra].concat();
        let directory = front.len() as u64 + size;
        let directory_size = back.len() as u32;
        let wide = u32::try_from(directory).is_err();
        if wide {
            let end = directory + u64::from(directory_size);
            back.extend(b"PK\x06\x06");
            back.extend(44_u64.to_le_bytes());
            back.extend([63, 0, 63, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            back.extend(
                [1_u64, 1, u64::from(directory_size), directory].into_iter().flat_map(u64::to_le_bytes),
            );
            back.extend(b"PK\x06\x07\0\0\0\0");
            back.extend(end.to_le_bytes());
            back.extend(1_u32.to_le_bytes());
        }
        back.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        back.extend(directory_size.to_le_bytes());
        back.extend(u32::try_from(directory).unwrap_or(u32::MAX).to_le_bytes());
        back.extend([0, 0]);
        Self { source, front, data: (offset, size), back, at: 0, source_at: None }
    }

    fn size(&self) -> u64 {
        self.front.len() as u64 + self.data.1 + self.back.len() as u64
    }
}

impl Read for Splice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let front = self.front.len() as u64;
        let read = if self.at < front {
            let mut rest = self.front.get(self.at as usize..).unwrap_or_default();
            rest.read(buffer)?
        } else if self.at < front + self.data.1 {
            let inside = self.at - front;
            let place = self.data.0 + inside;
            if self.source_at != Some(place) {
                self.source.seek(SeekFrom::Start(place))?;
            }
            let most = usize::try_from(self.data.1 - inside).unwrap_or(usize::MAX).min(buffer.len());
            let read = self.source.read(buffer.get_mut(..most).unwrap_or_default())?;
            self.source_at = Some(place + read as u64);
            read
        } else {
            let inside = usize::try_from(self.at - front - self.data.1).unwrap_or(usize::MAX);
            let mut rest = self.back.get(inside..).unwrap_or_default();
            rest.read(buffer)?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Splice<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.size().checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
