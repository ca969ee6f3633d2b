//! Windows Installer files (.msi, .msp): compound files ([MS-CFB]) whose streams are members, among them the cabinets
//! with the files to install. Other compound files are documents and stay samples: the class of the root tells them
//! apart. This is our own reader, since the table of sectors decides how much memory a reader takes.

use super::error::ArchiveError;
use super::extents::{Extents, Part, read_at, size_of};
use super::source::Source;
use super::unpacker::Unpacker;
use crate::sample::bytes::{Bytes, Endian};
use std::collections::HashSet;
use std::path::Path;

/// The first bytes of a compound file.
pub const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// The end of a class identifier that belongs to Windows Installer: {000C10xx-0000-0000-C000-000000000046}. The first
/// byte is 82 for a transform, 84 for a package and 86 for a patch.
const INSTALLER: [u8; 15] = [0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
/// The end of a chain of sectors; numbers from here on name no sector.
const LAST_SECTOR: u32 = 0xffff_fffa;
/// No entry of the directory.
const NONE: u32 = u32::MAX;
/// Entries of the directory.
const MOST_ENTRIES: usize = 100_000;
/// Storages in storages.
const MOST_DEPTH: usize = 16;

/// The structure of a compound file.
struct Compound {
    sector: u64,
    mini_sector: u64,
    /// Streams of fewer bytes are in mini sectors.
    mini_below: u64,
    /// For each sector, the next one of its stream.
    next: Vec<u32>,
    /// The same for each mini sector.
    mini_next: Vec<u32>,
    /// The sectors that hold the mini sectors.
    mini: Vec<u32>,
    entries: Vec<Entry>,
}

/// An entry of the directory.
struct Entry {
    name: Vec<u16>,
    kind: u8,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    size: u64,
}

fn damaged(why: &str) -> ArchiveError {
    ArchiveError::damaged(why)
}

/// Whether a compound file is one of Windows Installer.
pub fn is_installer(source: &mut dyn Source) -> bool {
    let root = (|| {
        let header = read_at(source, 0, 512).ok()?;
        let header = Bytes::new(&header, 512);
        let shift = header.u16(30, Endian::Little).filter(|shift| matches!(shift, 9 | 12))?;
        let directory = header.u32(48, Endian::Little)?;
        read_at(source, (u64::from(directory) + 1) << shift, 128).ok()
    })();
    root.and_then(|root| {
        let (first, rest) = root.get(80..96)?.split_first()?;
        Some(matches!(first, 0x82 | 0x84 | 0x86) && rest == INSTALLER)
    }) == Some(true)
}

/// Reads the file and passes its streams to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let compound = Compound::open(source)?;
    let root = compound.entries.first().ok_or_else(|| damaged("its directory is empty"))?;
    let mut todo = vec![(root.child, Vec::new(), 0)];
    let mut seen = HashSet::new();
    while let Some((index, folder, depth)) = todo.pop() {
        let Some(entry) = usize::try_from(index).ok().and_then(|index| compound.entries.get(index)) else {
            continue;
        };
        if index == NONE || depth > MOST_DEPTH || !seen.insert(index) {
            continue;
        }
        let mut name: Vec<u8> = folder.clone();
        name.extend(decoded(&entry.name).as_bytes());
        todo.push((entry.right, folder.clone(), depth));
        todo.push((entry.left, folder, depth));
        match entry.kind {
            1 => {
                name.push(b'/');
                todo.push((entry.child, name, depth + 1));
            }
            2 => {
                unpacker.budget.take_member()?;
                let read = compound.parts(entry).and_then(|parts| {
                    unpacker.budget.read(&mut Extents::new(source, &parts), ArchiveError::damaged)
                });
                match read {
                    Ok(bytes) => unpacker.take(path, &name, bytes)?,
                    Err(error) => unpacker.fail(path, &name, error)?,
                }
            }
            _ => {}
        }
    }
    Ok(())
}

impl Compound {
    /// Reads the header, the tables of sectors and the directory.
    fn open(source: &mut dyn Source) -> Result<Self, ArchiveError> {
        let size = size_of(source)?;
        let header = read_at(source, 0, 512).map_err(ArchiveError::damaged)?;
        let header = Bytes::new(&header, 512);
        let word = |at| header.u16(at, Endian::Little).unwrap_or_default();
        let long = |at| header.u32(at, Endian::Little).unwrap_or_default();
        let (shift, mini_shift) = (word(30), word(32));
        if !matches!(shift, 9 | 12) || mini_shift != 6 {
            return Err(damaged("the size of its sectors is unknown"));
        }
        let sector = 1_u64 << shift;
        // The header takes one sector.
        let sectors = size.div_ceil(sector).saturating_sub(1);
        let mut compound = Self {
            sector,
            mini_sector: 1 << mini_shift,
            mini_below: long(56).into(),
            next: Vec::new(),
            mini_next: Vec::new(),
            mini: Vec::new(),
            entries: Vec::new(),
        };
        // The sectors of the table: the header lists the first 109, and a chain of sectors the others.
        let in_sector = sector / 4;
        let most_tables = sectors.div_ceil(in_sector) + 1;
        let mut tables: Vec<u32> =
            (0..109).map(|i| long(76 + 4 * i)).filter(|at| *at < LAST_SECTOR).collect();
        let mut list = long(68);
        for _ in 0..most_tables {
            if list >= LAST_SECTOR {
                break;
            }
            let numbers = compound.numbers(source, list)?;
            let (last, numbers) = numbers.split_last().ok_or_else(|| damaged("a sector is missing"))?;
            tables.extend(numbers.iter().filter(|at| **at < LAST_SECTOR));
            list = *last;
        }
        if tables.len() as u64 > most_tables + 109 {
            return Err(damaged("its table of sectors is larger than the file"));
        }
        for table in tables {
            let numbers = compound.numbers(source, table)?;
            compound.next.extend(numbers);
        }
        for at in chain(&compound.next, long(48), sectors)? {
            let bytes = compound.sector(source, at)?;
            compound.entries.extend(bytes.chunks_exact(128).filter_map(entry));
            if compound.entries.len() > MOST_ENTRIES {
                return Err(ArchiveError::Limit("the most files that an archive may hold"));
            }
        }
        for at in chain(&compound.next, long(60), sectors)? {
            let numbers = compound.numbers(source, at)?;
            compound.mini_next.extend(numbers);
        }
        if let Some(root) = compound.entries.first() {
            let used = root.size.div_ceil(sector).min(sectors);
            compound.mini = chain(&compound.next, root.start, used)?;
        }
        Ok(compound)
    }

    /// The bytes of a sector. The last one may be cut off.
    fn sector(&self, source: &mut dyn Source, at: u32) -> Result<Vec<u8>, ArchiveError> {
        read_at(source, (u64::from(at) + 1) * self.sector, self.sector).map_err(ArchiveError::damaged)
    }

    /// The numbers in a sector.
    fn numbers(&self, source: &mut dyn Source, at: u32) -> Result<Vec<u32>, ArchiveError> {
        let bytes = self.sector(source, at)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number)).collect())
    }

    /// Where the content of a stream is.
    fn parts(&self, entry: &Entry) -> Result<Vec<Part>, ArchiveError> {
        let is_mini = entry.size < self.mini_below;
        let (unit, next) =
            if is_mini { (self.mini_sector, &self.mini_next) } else { (self.sector, &self.next) };
        let mut left = entry.size;
        let mut parts: Vec<Part> = Vec::new();
        // A chain that is longer than its table goes in a circle.
        if left.div_ceil(unit) > next.len() as u64 {
            return Err(damaged("its size is larger than the file"));
        }
        for at in chain(next, entry.start, left.div_ceil(unit))? {
            let offset = if is_mini {
                let within = u64::from(at) * unit;
                let sector = usize::try_from(within / self.sector).ok().and_then(|at| self.mini.get(at));
                let sector = sector.ok_or_else(|| damaged("it refers to a sector that is not there"))?;
                (u64::from(*sector) + 1) * self.sector + within % self.sector
            } else {
                (u64::from(at) + 1) * unit
            };
            let size = left.min(unit);
            left -= size;
            match parts.last_mut() {
                Some(Part { offset: Some(start), size: before }) if *start + *before == offset => {
                    *before += size;
                }
                _ => parts.push(Part { offset: Some(offset), size }),
            }
        }
        if left > 0 { Err(damaged("parts of it are missing")) } else { Ok(parts) }
    }
}

/// The sectors of a stream from `start` on, at most so many.
fn chain(next: &[u32], start: u32, most: u64) -> Result<Vec<u32>, ArchiveError> {
    let mut found = Vec::new();
    let mut at = start;
    while at < LAST_SECTOR && (found.len() as u64) < most {
        found.push(at);
        let following = usize::try_from(at).ok().and_then(|at| next.get(at));
        at = *following.ok_or_else(|| damaged("it refers to a sector that is not there"))?;
    }
    Ok(found)
}

/// An entry of the directory; one that is not used keeps its place.
fn entry(bytes: &[u8]) -> Option<Entry> {
    let fields = Bytes::new(bytes, bytes.len() as u64);
    let long = |at| fields.u32(at, Endian::Little);
    let units = usize::from(fields.u16(64, Endian::Little)?).min(64) / 2;
    let name = bytes.get(..64)?.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    Some(Entry {
        // The last unit is a zero.
        name: name.take(units.saturating_sub(1)).collect(),
        kind: *bytes.get(66)?,
        left: long(68)?,
        right: long(72)?,
        child: long(76)?,
        start: long(116)?,
        // Streams of more than 4 GiB do not occur in installers, and old writers leave rubbish in the upper half.
        size: long(120)?.into(),
    })
}

/// A readable name. Windows Installer packs two characters into one, and marks tables; other programs mark streams with
/// a control character in front.
fn decoded(name: &[u16]) -> String {
    const CHARACTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
    let character = |i: u32| char::from(CHARACTERS.get(i as usize & 63).copied().unwrap_or(b'?'));
    let mut text = String::new();
    for unit in char::decode_utf16(name.iter().copied()) {
        let unit = unit.unwrap_or(char::REPLACEMENT_CHARACTER);
        match u32::from(unit) {
            packed @ 0x3800..0x4800 => {
                text.push(character(packed - 0x3800));
                text.push(character((packed - 0x3800) >> 6));
            }
            packed @ 0x4800..0x4840 => text.push(character(packed - 0x4800)),
            0x4840 => text.push('!'),
            mark @ 1..32 => text.push_str(&format!("[{mark}]")),
            _ => text.push(unit),
        }
    }
    text
}
