//! Cpio: the new format of SVR4 with and without checksums, the portable one of POSIX.1, and the old binary one in both
//! byte orders. Folders, links and devices are ignored.

use super::error::ArchiveError;
use super::extents::Exactly;
use super::unpacker::Unpacker;
use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::path::Path;

/// The longest name.
const MOST_NAME: u64 = 4096;
/// The name of the entry after the last member.
const TRAILER: &[u8] = b"TRAILER!!!";

/// A variant of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    /// "070701" and "070702": numbers in hexadecimal, padded to four bytes. The second has checksums.
    New { checksums: bool },
    /// "070707": numbers in octal.
    Portable,
    /// Numbers of 16 bits, padded to two bytes.
    Binary { big: bool },
}

/// What a header says.
struct Entry {
    inode: u64,
    mode: u64,
    links: u64,
    name_size: u64,
    size: u64,
    checksum: u32,
}

/// Whether these are the first bytes of an archive. Two bytes are the whole magic of the binary format, so its first
/// name is checked too.
pub fn is_cpio(head: &[u8]) -> bool {
    let Some((variant, entry)) = parse(head) else { return false };
    let (start, _) = variant.layout();
    let name =
        usize::try_from(entry.name_size).ok().and_then(|size| head.get(start..start.checked_add(size)?));
    let Some((0, name)) = name.and_then(|name| name.split_last().map(|(last, name)| (*last, name))) else {
        return false;
    };
    let kind = entry.mode >> 12;
    (matches!(kind, 1 | 2 | 4 | 6 | 8 | 10 | 12) || name == TRAILER)
        && !name.is_empty()
        && name.iter().all(|byte| *byte >= b' ')
}

impl Variant {
    /// Bytes of a header, and what names and contents are padded to.
    fn layout(self) -> (usize, u64) {
        match self {
            Self::New { .. } => (110, 4),
            Self::Portable => (76, 1),
            Self::Binary { .. } => (26, 2),
        }
    }

    /// The variant of a header with these first bytes.
    fn of(magic: &[u8]) -> Option<Self> {
        match magic {
            b"070701" => Some(Self::New { checksums: false }),
            b"070702" => Some(Self::New { checksums: true }),
            b"070707" => Some(Self::Portable),
            [0xc7, 0x71, ..] => Some(Self::Binary { big: false }),
            [0x71, 0xc7, ..] => Some(Self::Binary { big: true }),
            _ => None,
        }
    }
}

/// Reads a header.
fn parse(header: &[u8]) -> Option<(Variant, Entry)> {
    let variant = Variant::of(header.get(..6)?)?;
    let digits = |start: usize, size: usize, radix| {
        let text = std::str::from_utf8(header.get(start..start + size)?).ok()?;
        u64::from_str_radix(text, radix).ok()
    };
    let entry = match variant {
        Variant::New { .. } => {
            let field = |i: usize| digits(6 + 8 * i, 8, 16);
            Entry {
                inode: field(0)?,
                mode: field(1)?,
                links: field(4)?,
                size: field(6)?,
                name_size: field(11)?,
                checksum: u32::try_from(field(12)?).ok()?,
            }
        }
        Variant::Portable => Entry {
            inode: digits(12, 6, 8)?,
            mode: digits(18, 6, 8)?,
            links: digits(36, 6, 8)?,
            name_size: digits(59, 6, 8)?,
            size: digits(65, 11, 8)?,
            checksum: 0,
        },
        Variant::Binary { big } => {
            let word = |i: usize| {
                let bytes = *header.get(2 * i..)?.first_chunk()?;
                Some(u64::from(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }))
            };
            // The higher half of a number of 32 bits comes first in either byte order.
            Entry {
                inode: word(2)?,
                mode: word(3)?,
                links: word(6)?,
                name_size: word(10)?,
                size: (word(11)? << 16) | word(12)?,
                checksum: 0,
            }
        }
    };
    Some((variant, entry))
}

/// Reads the archive and passes its members to `unpacker`. Archives that follow each other, with zeros between them,
/// are read as one, as the Linux kernel reads them.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, mut reader: impl BufRead) -> Result<(), ArchiveError> {
    // By inode: the names of links, whose content comes with the last one.
    let mut links: HashMap<u64, Vec<Vec<u8>>> = HashMap::new();
    let mut ended = false;
    while let Some((variant, entry)) = next(&mut reader)? {
        ended = false;
        let (start, align) = variant.layout();
        if entry.name_size == 0 || entry.name_size > MOST_NAME {
            return Err(ArchiveError::damaged("a name is empty or too long"));
        }
        let mut name = Vec::new();
        Exactly::new(&mut reader, entry.name_size).read_to_end(&mut name).map_err(ArchiveError::damaged)?;
        let padding = |size: u64| size.next_multiple_of(align) - size;
        skip(unpacker, &mut reader, padding(start as u64 + entry.name_size), |_| true)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.truncate(end);
        if name == TRAILER {
            skip(unpacker, &mut reader, u64::MAX, |byte| byte == 0)?;
            ended = true;
            continue;
        }
        let is_file = entry.mode >> 12 == 8;
        let mut content = Exactly::new(&mut reader, entry.size);
        if is_file && entry.size == 0 && entry.links > 1 {
            unpacker.budget.take_member()?;
            links.entry(entry.inode).or_default().push(name);
        } else if is_file {
            links.remove(&entry.inode);
            pass(unpacker, path, &name, &mut content, variant, entry.checksum)?;
        }
        // The target of a symbolic link, or what is left of a file that is too large.
        let left = content.left();
        skip(unpacker, &mut reader, left.saturating_add(padding(entry.size)), |_| true)?;
    }
    // Links without any content are empty files.
    for name in links.into_values().flatten() {
        unpacker.take(path, &name, Vec::new())?;
    }
    if ended { Ok(()) } else { Err(ArchiveError::damaged("its end is missing")) }
}

/// Passes on one file.
fn pass(
    unpacker: &mut Unpacker<'_>,
    path: &Path,
    name: &[u8],
    content: &mut Exactly<impl Read>,
    variant: Variant,
    checksum: u32,
) -> Result<(), ArchiveError> {
    unpacker.budget.take_member()?;
    match unpacker.budget.read(content, ArchiveError::damaged) {
        Ok(bytes) => {
            if variant == (Variant::New { checksums: true }) {
                let sum =
                    bytes.chunks().flatten().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
                if sum != checksum {
                    return unpacker.fail(path, name, ArchiveError::damaged("its checksum is wrong"));
                }
            }
            unpacker.take(path, name, bytes)
        }
        Err(error) => unpacker.fail(path, name, error),
    }
}

/// The next header; `None` at the end of the file.
fn next(reader: &mut impl BufRead) -> Result<Option<(Variant, Entry)>, ArchiveError> {
    let mut header = Vec::new();
    reader.take(26).read_to_end(&mut header).map_err(ArchiveError::damaged)?;
    if header.is_empty() {
        return Ok(None);
    }
    if header.starts_with(b"07070X") {
        return Err(ArchiveError::Method("the cpio variant of RPM for files of more than 4 GiB".to_owned()));
    }
    let Some(variant) = header.get(..6).and_then(Variant::of) else {
        return Err(ArchiveError::damaged("expected the header of a member, found other bytes"));
    };
    let more = variant.layout().0 as u64 - 26;
    reader.take(more).read_to_end(&mut header).map_err(ArchiveError::damaged)?;
    let entry = parse(&header).ok_or_else(|| ArchiveError::damaged("the header of a member is damaged"))?;
    Ok(Some(entry))
}

/// Skips bytes while `is` holds, at most `most`; they count as work.
fn skip(
    unpacker: &mut Unpacker<'_>,
    reader: &mut impl BufRead,
    most: u64,
    is: fn(u8) -> bool,
) -> Result<(), ArchiveError> {
    let mut left = most;
    loop {
        let buffer = reader.fill_buf().map_err(ArchiveError::damaged)?;
        let all = buffer.len();
        let skipped = buffer.iter().take_while(|byte| is(**byte)).count();
        let skipped = skipped.min(usize::try_from(left).unwrap_or(usize::MAX));
        reader.consume(skipped);
        left -= skipped as u64;
        unpacker.budget.take_bytes(skipped as u64, 0)?;
        if skipped == 0 || skipped < all {
            return Ok(());
        }
    }
}
