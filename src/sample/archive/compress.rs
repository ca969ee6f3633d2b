//! The format of the program `compress` (.Z): LZW with codes of 9 to 16 bits.

use std::io::{self, Read};

/// The code that empties the table, in files with the block mode.
const CLEAR: u32 = 256;

/// Whether a file with these first bytes is in this format. The magic is two bytes, so the flags and the first codes are
/// checked too.
pub fn is_compress(head: &[u8]) -> bool {
    let Some([0x1f, 0x9d, flags, first, second, ..]) = head.get(..8) else { return false };
    let bits = flags & 0x1f;
    // The first code is a byte, and the second is a byte, a clear code or the first entry of the table.
    let codes = u32::from(*first) | u32::from(*second) << 8;
    (9..=16).contains(&bits) && flags & 0x60 == 0 && codes & 0x1ff < 256 && {
        let mut tried = Vec::new();
        Decoder::new(head).is_ok_and(|decoder| {
            let read = decoder.take(256).read_to_end(&mut tried);
            read.is_ok() || read.is_err_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
        })
    }
}

/// Decompresses a file.
pub struct Decoder<R> {
    source: R,
    most_bits: u32,
    blocks: bool,
    bits: u32,
    /// For each code from 256 on: the code before its last byte, and that byte.
    table: Vec<(u16, u8)>,
    /// The code before the current one, and the first byte of what it stands for.
    previous: Option<(u32, u8)>,
    /// Codes come in groups of eight, which are skipped to when their size changes.
    group: [u8; 16],
    group_size: usize,
    /// Bits of the group that were read.
    at: usize,
    /// Bytes that are decompressed, the last one first.
    ready: Vec<u8>,
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl<R: Read> Decoder<R> {
    /// Reads the header.
    pub fn new(mut source: R) -> io::Result<Self> {
        let mut header = [0; 3];
        source.read_exact(&mut header)?;
        let [0x1f, 0x9d, flags] = header else {
            return Err(damaged("expected a file of compress, found other bytes"));
        };
        let most_bits = u32::from(flags & 0x1f);
        if !(9..=16).contains(&most_bits) {
            return Err(damaged("its codes have no valid size"));
        }
        Ok(Self {
            source,
            most_bits,
            blocks: flags & 0x80 != 0,
            bits: 9,
            table: Vec::new(),
            previous: None,
            group: [0; 16],
            group_size: 0,
            at: 0,
            ready: Vec::new(),
        })
    }

    /// What comes after the file: nothing, since it has no end mark.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// The first code that is not in the table yet.
    fn free(&self) -> u32 {
        let first = if self.blocks { 257 } else { 256 };
        first + self.table.len() as u32
    }

    /// Skips to the next group.
    fn next_group(&mut self) {
        self.group_size = 0;
        self.at = 0;
    }

    /// The next code; `None` at the end of the file.
    fn code(&mut self) -> io::Result<Option<u32>> {
        let bits = self.bits as usize;
        if self.at + bits > self.group_size * 8 {
            self.at = 0;
            self.group_size = 0;
            while self.group_size < bits {
                let Some(room) = self.group.get_mut(self.group_size..bits) else { break };
                let read = self.source.read(room)?;
                if read == 0 {
                    break;
                }
                self.group_size += read;
            }
            if bits > self.group_size * 8 {
                return Ok(None);
            }
        }
        let first = self.at / 8;
        let bytes = self.group.iter().skip(first).take(3);
        let word = bytes.enumerate().fold(0, |word, (i, byte)| word | u32::from(*byte) << (8 * i));
        let code = (word >> (self.at % 8)) & ((1 << bits) - 1);
        self.at += bits;
        Ok(Some(code))
    }

    /// Decompresses what the next code stands for. Returns whether there was one.
    fn step(&mut self) -> io::Result<bool> {
        let Some(code) = self.code()? else { return Ok(false) };
        if self.blocks && code == CLEAR {
            self.table.clear();
            self.previous = None;
            self.bits = 9;
            self.next_group();
            return Ok(true);
        }
        let free = self.free();
        let mut rest = code;
        if code >= free {
            // Only the entry that this code completes may be used before it is there.
            let Some((before, first)) = self.previous.filter(|_| code == free) else {
                return Err(damaged("it refers to bytes that are not there"));
            };
            self.ready.push(first);
            rest = before;
        }
        let base = free - self.table.len() as u32;
        while let Some(entry) = rest.checked_sub(base) {
            let Some((before, byte)) = self.table.get(entry as usize) else {
                return Err(damaged("it refers to bytes that are not there"));
            };
            self.ready.push(*byte);
            rest = u32::from(*before);
        }
        let Ok(first) = u8::try_from(rest) else {
            return Err(damaged("it refers to a code that stands for nothing"));
        };
        self.ready.push(first);
        if let Some((before, _)) = self.previous
            && free < 1 << self.most_bits
        {
            self.table.push((before as u16, first));
            if self.free() >= 1 << self.bits && self.bits < self.most_bits {
                self.bits += 1;
                self.next_group();
            }
        }
        self.previous = Some((code, first));
        Ok(true)
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while let Some(place) = buffer.get_mut(written) {
            if let Some(byte) = self.ready.pop() {
                *place = byte;
                written += 1;
            } else if !self.step()? {
                break;
            }
        }
        Ok(written)
    }
}
