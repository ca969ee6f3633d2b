//! The header that UPX writes for its own use, which no stub reads: version, method, sizes and checksums.
//!
//! From version 10 on, of a program for Windows, Linux or macOS, it has 32 bytes, the last of which is a checksum of those
//! behind the magic. Numbers are little-endian, or big-endian for formats from 128 on, in another order. All of it can be
//! changed without harm to the program.

use super::filter::Filter;
use super::methods::Method;
use crate::sample::bytes::{Bytes, Endian};

/// Its size in bytes.
pub const SIZE: u64 = 32;

/// A header, which may be damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackHeader {
    /// Its offset in the file.
    pub at: u64,
    /// The version of the format.
    pub version: u8,
    /// The format of the program.
    pub format: u8,
    /// The number of the method.
    pub method: u8,
    pub filter: Filter,
    /// Adler-32 of the decompressed bytes.
    pub unpacked_adler: u32,
    /// Adler-32 of the compressed bytes.
    pub packed_adler: u32,
    /// The number of decompressed bytes.
    pub unpacked_size: u32,
    /// The number of compressed bytes.
    pub packed_size: u32,
    /// The size of the file before it was packed.
    pub file_size: u32,
    /// Whether it has the magic.
    pub has_magic: bool,
    /// Whether its own checksum is right.
    pub valid: bool,
}

/// "UPX!", put together so that this program does not contain it.
pub fn magic() -> [u8; 4] {
    (0x2158_5056_u32 - 1).to_le_bytes()
}

impl PackHeader {
    /// Reads the header at `at`, whatever it holds.
    pub fn read(bytes: Bytes<'_>, at: u64) -> Option<Self> {
        let header: [u8; SIZE as usize] = bytes.array(at)?;
        let [version, format, method] = bytes.array(at.checked_add(4)?)?;
        let endian = if format < 128 { Endian::Little } else { Endian::Big };
        let number = |index: u64| bytes.u32(at + 8 + 4 * index, endian);
        let first = [number(0)?, number(1)?, number(2)?, number(3)?];
        let [unpacked_adler, packed_adler, unpacked_size, packed_size] = match endian {
            Endian::Little => first,
            Endian::Big => [first[2], first[3], first[0], first[1]],
        };
        let [filter, marker, _, checksum] = bytes.array(at + 28)?;
        let in_range = (10..=20).contains(&version) && format != 0 && method != 0;
        let sum = || header.iter().skip(4).take(27).map(|byte| u32::from(*byte)).sum::<u32>();
        Some(Self {
            at,
            version,
            format,
            method,
            filter: Filter { id: filter, marker },
            unpacked_adler,
            packed_adler,
            unpacked_size,
            packed_size,
            file_size: number(4)?,
            has_magic: header.starts_with(&magic()),
            valid: in_range && u32::from(checksum) == sum() % 251,
        })
    }

    /// Where the bytes after it begin.
    pub fn end(&self) -> u64 {
        self.at.saturating_add(SIZE)
    }

    /// Whether each field has a value that UPX writes, for a file of `size` bytes.
    fn is_plausible(&self, size: u64) -> bool {
        matches!(self.format, 1..=44 | 129..=142)
            && Method::of(self.method).is_some()
            && self.filter.is_known()
            && (2..=self.unpacked_size).contains(&self.packed_size)
            && u64::from(self.packed_size) <= size
    }

    /// The header in a part of the file: one with a valid checksum, or else with the magic.
    pub fn find(bytes: Bytes<'_>, from: u64, until: u64) -> Option<Self> {
        let end = until.min(bytes.kept().len() as u64);
        let (mut without_magic, mut damaged) = (None, None);
        for header in (from..end).filter_map(|at| Self::read(bytes, at)) {
            match (header.valid, header.has_magic) {
                (true, true) => return Some(header),
                (true, false) if header.is_plausible(bytes.size()) => {
                    without_magic = without_magic.or(Some(header));
                }
                (false, true) => damaged = damaged.or(Some(header)),
                _ => {}
            }
        }
        without_magic.or(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_by_its_checksum_or_its_magic() {
        let mut file = vec![0_u8; 100];
        file[40..44].copy_from_slice(&magic());
        file[44..48].copy_from_slice(&[13, 36, 8, 7]);
        file[56] = 200;
        file[60] = 50;
        file[68] = 0x49;
        file[71] = ((13 + 36 + 8 + 7 + 200 + 50 + 0x49) % 251) as u8;
        let find = |file: &[u8]| PackHeader::find(Bytes::new(file, file.len() as u64), 0, 100);
        let found = find(&file).unwrap();
        assert!(found.valid && found.has_magic);
        assert_eq!((found.at, found.unpacked_size, found.filter.id), (40, 200, 0x49));
        file[40] = b'X';
        assert!(find(&file).is_some_and(|header| header.at == 40 && !header.has_magic));
        file[45] = 0;
        assert_eq!(find(&file), None);
        file[40] = b'U';
        assert!(find(&file).is_some_and(|header| header.at == 40 && !header.valid));
        assert_eq!(find(&file[..60]), None);
    }
}
