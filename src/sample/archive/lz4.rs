//! Lz4: frames (the LZ4 Frame Format Description 1.6) and the legacy format. The blocks are decompressed by lz4_flex,
//! whose own reader of frames takes a file that is cut off for a whole one.

use super::extents::cut_off;
use std::hash::Hasher as _;
use std::io::{self, Read};
use twox_hash::XxHash32;

const FRAME: u32 = 0x184d_2204;
const LEGACY: u32 = 0x184c_2102;
/// What a block of the legacy format decompresses to at most.
const LEGACY_BLOCK: usize = 8 << 20;
/// How far a block may refer back.
const WINDOW: usize = 64 << 10;

/// Whether a frame begins with these bytes; one that is skipped does too.
pub fn is_frame(head: &[u8]) -> bool {
    magic(head).is_some_and(|magic| matches!(magic, FRAME | LEGACY) || is_skipped(magic))
}

fn is_skipped(magic: u32) -> bool {
    magic & 0xffff_fff0 == 0x184d_2a50
}

fn magic(head: &[u8]) -> Option<u32> {
    head.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Whether a file with these first bytes is in this format. Frames that are skipped belong to zstd too, so they are
/// not enough.
pub fn is_lz4(head: &[u8]) -> bool {
    match magic(head) {
        Some(FRAME) => head.get(4).is_some_and(|flags| flags >> 6 == 1),
        Some(LEGACY) => head.len() > 8,
        _ => false,
    }
}

/// Reads one frame.
pub struct Frame<R> {
    source: R,
    kind: Kind,
    /// The last bytes that were decompressed, to which the next block may refer, and the new block.
    window: Vec<u8>,
    /// Bytes of the window that were read.
    at: usize,
    ended: bool,
}

enum Kind {
    Skipped,
    Legacy,
    Frame { block: usize, linked: bool, block_hashes: bool, hash: Option<XxHash32>, left: Option<u64> },
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl<R: io::BufRead> Frame<R> {
    /// Reads the header of a frame.
    pub fn new(mut source: R) -> io::Result<Self> {
        let kind = match read_u32(&mut source)? {
            FRAME => Self::header(&mut source)?,
            LEGACY => Kind::Legacy,
            magic if is_skipped(magic) => {
                let size = u64::from(read_u32(&mut source)?);
                let skipped = io::copy(&mut (&mut source).take(size), &mut io::sink())?;
                if skipped < size {
                    return Err(cut_off(size - skipped));
                }
                Kind::Skipped
            }
            _ => return Err(damaged("expected a frame of lz4, found other bytes")),
        };
        let ended = matches!(kind, Kind::Skipped);
        Ok(Self { source, kind, window: Vec::new(), at: 0, ended })
    }

    fn header(source: &mut R) -> io::Result<Kind> {
        let mut header = vec![0; 2];
        source.read_exact(&mut header)?;
        let (flags, size) = (header[0], header[1]);
        let more = if flags & 8 != 0 { 8 } else { 0 } + if flags & 1 != 0 { 4 } else { 0 } + 1;
        source.take(more).read_to_end(&mut header)?;
        let Some((check, header)) = header.split_last().filter(|(_, header)| header.len() as u64 == more + 1)
        else {
            return Err(cut_off(1));
        };
        let mut hash = XxHash32::with_seed(0);
        hash.write(header);
        if (hash.finish() >> 8) as u8 != *check || flags >> 6 != 1 {
            return Err(damaged("the header of a frame is damaged"));
        }
        if flags & 1 != 0 {
            return Err(damaged("it was compressed with a dictionary, which is not in it"));
        }
        let block = match (size >> 4) & 7 {
            size @ 4..=7 => 1_usize << (8 + 2 * size),
            _ => return Err(damaged("the size of a block is unknown")),
        };
        let left = header.get(2..).and_then(|size| size.first_chunk()).filter(|_| flags & 8 != 0);
        Ok(Kind::Frame {
            block,
            linked: flags & 0x20 == 0,
            block_hashes: flags & 0x10 != 0,
            hash: (flags & 4 != 0).then(|| XxHash32::with_seed(0)),
            left: left.map(|size| u64::from_le_bytes(*size)),
        })
    }

    /// What comes after the frame.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// Decompresses the next block into the window.
    fn next_block(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::Skipped => self.ended = true,
            Kind::Legacy => {
                // A legacy file ends without a mark, at its end or at the next frame.
                let head = self.source.fill_buf()?;
                if head.is_empty() {
                    self.ended = true;
                    return Ok(());
                }
                let size = read_u32(&mut self.source)?;
                if size > LEGACY_BLOCK as u32 + (LEGACY_BLOCK >> 7) as u32 {
                    return Err(damaged("a block is larger than the format allows"));
                }
                self.window.clear();
                self.at = 0;
                decompress(&mut self.source, size, LEGACY_BLOCK, &mut self.window, 0)?;
            }
            Kind::Frame { block, linked, block_hashes, hash, left } => {
                let keep = if *linked { WINDOW } else { 0 };
                let old = self.window.len().saturating_sub(keep);
                self.window.drain(..old);
                self.at = self.window.len();
                let word = read_u32(&mut self.source)?;
                if word == 0 {
                    if let Some(hash) = hash
                        && read_u32(&mut self.source)? != hash.finish() as u32
                    {
                        return Err(damaged("its checksum is wrong"));
                    }
                    if left.is_some_and(|left| left > 0) {
                        return Err(damaged("its size is wrong"));
                    }
                    self.ended = true;
                    return Ok(());
                }
                let size = word & 0x7fff_ffff;
                if size as usize > *block {
                    return Err(damaged("a block is larger than its frame allows"));
                }
                if word >> 31 == 1 {
                    append(&mut self.source, size, &mut self.window)?;
                } else {
                    decompress(&mut self.source, size, *block, &mut self.window, self.at)?;
                }
                if *block_hashes {
                    // The checksum of the block as it is stored; that of the content is checked too where there is one.
                    read_u32(&mut self.source)?;
                }
                let new = self.window.get(self.at..).unwrap_or_default();
                if let Some(hash) = hash {
                    hash.write(new);
                }
                if let Some(left) = left {
                    *left = left.checked_sub(new.len() as u64).ok_or_else(|| damaged("its size is wrong"))?;
                }
            }
        }
        Ok(())
    }
}

/// Appends `size` bytes of `source`.
fn append(source: &mut impl Read, size: u32, to: &mut Vec<u8>) -> io::Result<()> {
    let read = source.take(u64::from(size)).read_to_end(to)?;
    if read < size as usize { Err(cut_off(u64::from(size) - read as u64)) } else { Ok(()) }
}

/// Appends a block of `size` bytes that decompresses to at most `most` to the window, from whose end it may copy.
fn decompress(
    source: &mut impl Read,
    size: u32,
    most: usize,
    window: &mut Vec<u8>,
    history: usize,
) -> io::Result<()> {
    let mut packed = Vec::new();
    append(source, size, &mut packed)?;
    // A byte stands for at most 255. Many small blocks would otherwise each clear the memory of a large one.
    let most = most.min(packed.len().saturating_mul(255).saturating_add(64));
    window.resize(history + most, 0);
    let (before, new) = window.split_at_mut(history);
    let size = lz4_flex::block::decompress_into_with_dict(&packed, new, before)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    window.truncate(history + size);
    Ok(())
}

fn read_u32(source: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    source.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

impl<R: io::BufRead> Read for Frame<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut empty = 0;
        loop {
            let mut rest = self.window.get(self.at..).unwrap_or_default();
            let read = rest.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.ended {
                self.at += read;
                return Ok(read);
            }
            empty += 1;
            if empty > 1000 {
                return Err(damaged("too many of its blocks are empty"));
            }
            self.next_block()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_blocks_take_no_more_time_than_their_bytes() {
        // The largest blocks of a frame, each with one byte.
        let header = [0x60, 0x70];
        let mut hash = XxHash32::with_seed(0);
        hash.write(&header);
        let mut file = FRAME.to_le_bytes().to_vec();
        file.extend(header);
        file.push((hash.finish() >> 8) as u8);
        for _ in 0..100_000 {
            file.extend([2, 0, 0, 0, 0x10, b'x']);
        }
        file.extend([0; 4]);
        let began = std::time::Instant::now();
        let mut found = Vec::new();
        Frame::new(&file[..]).unwrap().read_to_end(&mut found).unwrap();
        assert_eq!(found, b"x".repeat(100_000));
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
}
