//! Searching a zip for the marks of its records. The bytes that were read last are kept, so that many marks close to each
//! other are not read again and again.

use crate::sample::archive::extents::read_up_to;
use crate::sample::archive::source::Source;
use std::io;

/// Bytes that are read at a time.
const CHUNK: u64 = 256 << 10;

/// Searches a source, best from its start to its end.
pub struct Scanner<'a> {
    source: &'a mut dyn Source,
    /// The bytes that were read last, and their offset.
    bytes: Vec<u8>,
    start: u64,
    /// Whether the source ends after them.
    is_end: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner of all of `source`.
    pub fn new(source: &'a mut dyn Source) -> Self {
        Self { source, bytes: Vec::new(), start: 0, is_end: false }
    }

    /// The bytes from `offset` on: at least `least`, or fewer at the end of the source.
    pub fn bytes(&mut self, offset: u64, least: u64) -> io::Result<&[u8]> {
        let kept = |scanner: &Self| {
            let from = usize::try_from(offset.checked_sub(scanner.start)?).ok()?;
            let left = scanner.bytes.len().checked_sub(from)? as u64;
            (left >= least || scanner.is_end).then_some(from)
        };
        let from = match kept(self) {
            Some(from) => from,
            None => {
                let wanted = least.max(CHUNK);
                self.bytes = read_up_to(self.source, offset, wanted)?;
                self.start = offset;
                self.is_end = (self.bytes.len() as u64) < wanted;
                0
            }
        };
        Ok(self.bytes.get(from..).unwrap_or_default())
    }

    /// The offset of the first of `marks`, which have four bytes and begin with PK, between two offsets.
    pub fn find(&mut self, from: u64, to: u64, marks: &[&[u8]]) -> io::Result<Option<u64>> {
        let mut at = from;
        while at < to {
            let chunk = self.bytes(at, 4)?;
            let chunk = usize::try_from(to - at).ok().and_then(|most| chunk.get(..most)).unwrap_or(chunk);
            for place in memchr::memmem::find_iter(chunk, b"PK") {
                if chunk.get(place..place + 4).is_some_and(|mark| marks.contains(&mark)) {
                    return Ok(Some(at + place as u64));
                }
            }
            // A mark may begin in the last three bytes.
            match (chunk.len() as u64).checked_sub(3) {
                Some(step) if step > 0 => at += step,
                _ => break,
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read, Seek, SeekFrom};

    /// A source that counts the bytes read from it.
    struct Counted(Cursor<Vec<u8>>, u64);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1 += read as u64;
            Ok(read)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn marks_are_found_wherever_they_are() {
        let mut bytes = vec![0; 700_000];
        // Across two chunks, at the end, and behind the end of what is searched.
        let places = [0, (256 << 10) - 2, 300_000, 300_004, 699_000, 699_996];
        for place in places {
            bytes[place..place + 4].copy_from_slice(b"PK\x03\x04");
        }
        let mut source = Cursor::new(bytes);
        let mut scanner = Scanner::new(&mut source);
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(place) = scanner.find(at, 699_999, &[b"PK\x03\x04"]).unwrap() {
            found.push(place as usize);
            at = place + 4;
        }
        assert_eq!(found, places[..5]);
    }

    #[test]
    fn marks_close_to_each_other_are_read_once() {
        let mut source = Counted(Cursor::new(b"PK\x03\x04".repeat(100_000)), 0);
        let mut scanner = Scanner::new(&mut source);
        let (mut found, mut at) = (0, 0);
        while let Some(place) = scanner.find(at, u64::MAX, &[b"PK\x03\x04"]).unwrap() {
            found += 1;
            at = place + 4;
            scanner.bytes(place, 30 + 2 * 0xffff).unwrap();
        }
        assert_eq!(found, 100_000);
        assert!(source.1 < 2_000_000, "{}", source.1);
    }
}
