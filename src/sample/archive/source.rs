//! Where the bytes of an archive come from: a reader that can seek.

use std::io::{self, Read, Seek, SeekFrom};

/// A reader that can seek.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// The part of a source from an offset on.
pub struct OffsetSource<'a> {
    source: &'a mut dyn Source,
    start: u64,
}

impl<'a> OffsetSource<'a> {
    /// `source` from `start` on; it must be seeked before it is read.
    pub fn new(source: &'a mut dyn Source, start: u64) -> Self {
        Self { source, start }
    }
}

impl Read for OffsetSource<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl Seek for OffsetSource<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => SeekFrom::Start(self.start.saturating_add(to)),
            other => other,
        };
        // A place before the start is at the start.
        Ok(self.source.seek(to)?.saturating_sub(self.start))
    }
}
