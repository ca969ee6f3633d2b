//! Lzma without a container: the format of LZMA Utils, which has no magic number, and members of lzip.

use super::peekable::Peekable;
use lzma_rust2::LzmaReader;
use std::io::{self, Read};

/// Bytes that are decompressed to see whether a file is in this format.
const TRIED: usize = 4096;

/// Whether a file with these first bytes is in the format of LZMA Utils. It has no mark, so each field of its header has
/// to be one that a program writes, and what follows has to decompress: nearly all files are turned away.
pub fn is_lzma(head: &[u8]) -> bool {
    let Some([properties, a, b, c, d, size @ .., first]) = head.first_chunk::<14>() else { return false };
    // At most four bits of context; the first byte of the range coder is zero.
    let (lc, lp, pb) = (properties % 9, properties / 9 % 5, properties / 45);
    if lc + lp > 4 || pb > 4 || *first != 0 {
        return false;
    }
    let dictionary = u32::from_le_bytes([*a, *b, *c, *d]);
    let size = size.first_chunk().map_or(0, |size: &[u8; 8]| u64::from_le_bytes(*size));
    // The limits of xz: 2^n or 2^n + 2^(n-1), and less than 256 GiB or unknown.
    let plausible = dictionary.count_ones() == 1
        || dictionary.count_ones() == 2 && dictionary & (dictionary >> 1) != 0
        || dictionary == u32::MAX;
    if !plausible || dictionary < 4096 || !(size < 1 << 38 || size == u64::MAX) || size == 0 {
        return false;
    }
    let Some(packed) = head.get(13..) else { return false };
    // More than enough for what is tried.
    let Ok(reader) = LzmaReader::new_with_props(packed, size, *properties, 1 << 16, None) else {
        return false;
    };
    let mut found = Vec::new();
    let tried = reader.take(TRIED as u64).read_to_end(&mut found);
    let wanted = usize::try_from(size).unwrap_or(TRIED).min(TRIED);
    // Of a small file that is cut off, a part decompresses; other settings than the usual ones are then chance.
    let is_cut_off = tried.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::UnexpectedEof);
    if is_cut_off && *properties == 0x5d && found.len() >= 16 {
        return true;
    }
    let whole = tried.is_ok() && (found.len() == wanted || size == u64::MAX);
    // A file of zeros decompresses to zeros whatever its header says.
    whole && !found.is_empty() && (*properties == 0x5d || found.iter().any(|byte| *byte != 0))
}

/// Reads one member of lzip.
pub struct LzipMember<R: Read> {
    reader: LzmaReader<Peekable<R>>,
    crc: flate2::Crc,
    size: u64,
}

impl<R: Read> LzipMember<R> {
    /// Reads the header of a member; its decoder takes at most so much memory.
    pub fn new(mut source: Peekable<R>, memory_kib: u32) -> io::Result<Self> {
        let mut header = [0; 6];
        source.read_exact(&mut header)?;
        let [b'L', b'Z', b'I', b'P', version, coded] = header else {
            return Err(damaged("expected a member of lzip, found other bytes"));
        };
        if version != 1 {
            return Err(damaged("its version of lzip is unknown"));
        }
        let (log, eighths) = (u32::from(coded & 31), u32::from(coded >> 5));
        if !(12..=29).contains(&log) {
            return Err(damaged("its dictionary has no valid size"));
        }
        let dictionary = (1_u32 << log) - eighths * (1_u32 << (log - 4));
        if dictionary >> 10 > memory_kib {
            return Err(damaged("it needs more memory than an archive may take"));
        }
        // lc 3, lp 0, pb 2; it ends with a mark.
        let reader = LzmaReader::new_with_props(source, u64::MAX, 0x5d, dictionary, None)?;
        Ok(Self { reader, crc: flate2::Crc::new(), size: 0 })
    }

    /// Checks the trailer of the member and returns what comes after it.
    pub fn finish(self) -> io::Result<Peekable<R>> {
        let (mut source, unread) = self.reader.into_parts();
        source.unread(&unread);
        let mut trailer = [0; 20];
        source.read_exact(&mut trailer)?;
        let [a, b, c, d, size @ ..] = trailer;
        let size = size.first_chunk().map_or(0, |size: &[u8; 8]| u64::from_le_bytes(*size));
        if u32::from_le_bytes([a, b, c, d]) != self.crc.sum() || size != self.size {
            return Err(damaged("its checksum is wrong"));
        }
        Ok(source)
    }
}

impl<R: Read> Read for LzipMember<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.crc.update(buffer.get(..read).unwrap_or_default());
        self.size += read as u64;
        Ok(read)
    }
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
