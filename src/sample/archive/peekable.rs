//! A reader whose next bytes can be seen before they are read.

use std::io::{self, BufRead, Read};

/// A reader whose next bytes can be seen before they are read.
pub struct Peekable<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were read.
    at: usize,
}

impl<R: Read> Peekable<R> {
    /// Bytes that are read at a time.
    const BUFFER: u64 = 64 << 10;

    /// Reads from `reader`.
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), at: 0 }
    }

    /// The next `most` bytes, or fewer at the end.
    pub fn peek(&mut self, most: usize) -> io::Result<&[u8]> {
        if self.rest().len() < most {
            self.buffer.drain(..self.at);
            self.at = 0;
            let missing = (most.saturating_sub(self.buffer.len()) as u64).max(Self::BUFFER);
            (&mut self.reader).take(missing).read_to_end(&mut self.buffer)?;
        }
        let rest = self.rest();
        Ok(rest.get(..most).unwrap_or(rest))
    }

    /// Puts back bytes that were read last.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.buffer.splice(..self.at, bytes.iter().copied());
        self.at = 0;
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }
}

impl<R: Read> BufRead for Peekable<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)?;
        Ok(self.rest())
    }

    fn consume(&mut self, read: usize) {
        self.at = self.at.saturating_add(read).min(self.buffer.len());
    }
}

impl<R: Read> Read for Peekable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
