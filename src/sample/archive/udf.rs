//! UDF (OSTA Universal Disk Format, on ECMA-167): the file system of DVDs, and of images that Windows mounts.

use super::error::ArchiveError;
use super::extents::{Extents, Part, read_at, size_of};
use super::image_file::ImageFile;
use super::source::Source;
use crate::sample::bytes::{Bytes, Endian};
use std::collections::HashSet;
use std::io::Read as _;

/// Bytes of directories that are read.
const MOST_DIRECTORIES: u64 = 64 << 20;
/// Parts of all files together.
const MOST_PARTS: usize = 1 << 20;
/// The longest path.
const MOST_PATH: usize = 4096;
/// Extents of one file that hold further lists of extents.
const MOST_LISTS: usize = 1000;

/// A place on the volume: a block of a partition.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    block: u32,
    partition: u16,
}

/// How the blocks of a partition are found.
enum Map {
    /// They follow each other from this sector on.
    Plain(u64),
    /// They are in a file, whose parts these are.
    Metadata(Vec<Part>),
    /// In a way that is not read.
    Unknown(&'static str),
}

/// A volume.
struct Volume {
    block: u64,
    maps: Vec<Map>,
    parts_left: usize,
}

fn damaged(why: &str) -> ArchiveError {
    ArchiveError::damaged(why)
}

/// All files of the volume, at most so many.
pub fn files(source: &mut dyn Source, most: usize) -> Result<Vec<ImageFile>, ArchiveError> {
    let (mut volume, set) = Volume::open(source)?;
    let descriptor = volume.descriptor(source, set, 256)?;
    let root = place(&Bytes::new(&descriptor, descriptor.len() as u64), 400)
        .ok_or_else(|| damaged("its file set is cut off"))?;
    let mut files = Vec::new();
    let mut todo = vec![(root, Vec::new())];
    let mut seen = HashSet::new();
    let mut left = MOST_DIRECTORIES;
    while let Some((at, path)) = todo.pop() {
        if !seen.insert(at) {
            continue;
        }
        let listed = volume.content(source, at).and_then(|(parts, _)| {
            let size = parts.iter().fold(0_u64, |size, part| size.saturating_add(part.size));
            left = left
                .checked_sub(size)
                .ok_or(ArchiveError::Limit("the most bytes that its directories may have"))?;
            let mut bytes = Vec::new();
            Extents::new(source, &parts).read_to_end(&mut bytes).map_err(ArchiveError::damaged)?;
            Ok(bytes)
        });
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) if error.is_final() || path.is_empty() => return Err(error),
            Err(error) => {
                files.push(ImageFile { name: path, parts: Vec::new(), problem: Some(error) });
                continue;
            }
        };
        for entry in entries(&listed) {
            if files.len() + todo.len() > most {
                return Err(ArchiveError::Limit("the most files that an archive may hold"));
            }
            let mut name = path.clone();
            if !name.is_empty() {
                name.push(b'/');
            }
            name.extend(entry.name.as_bytes());
            name.truncate(MOST_PATH);
            if entry.is_directory {
                todo.push((entry.place, name));
                continue;
            }
            match volume.content(source, entry.place) {
                // Of the types of ICB, 0 and 5 are files; the others are links, devices and parts of the system.
                Ok((parts, 0 | 5)) => files.push(ImageFile { name, parts, problem: None }),
                Ok(_) => {}
                Err(error) if error.is_final() => return Err(error),
                Err(error) => files.push(ImageFile { name, parts: Vec::new(), problem: Some(error) }),
            }
        }
    }
    Ok(files)
}

/// An entry of a directory.
struct Entry {
    name: String,
    place: Place,
    is_directory: bool,
}

/// The entries of a directory but for deleted ones and the directory above (ECMA-167, 4/14.4).
fn entries(directory: &[u8]) -> Vec<Entry> {
    let bytes = Bytes::new(directory, directory.len() as u64);
    let mut found = Vec::new();
    let mut at = 0;
    while bytes.u16(at, Endian::Little) == Some(257) {
        let fields = (|| {
            let [flags, name_size] = bytes.array(at + 18)?;
            let skipped = u64::from(bytes.u16(at + 36, Endian::Little)?);
            let name = bytes.get(at + 38 + skipped, name_size.into())?;
            Some((flags, name, place(&bytes, at + 20)?, 38 + skipped + u64::from(name_size)))
        })();
        let Some((flags, name, place, size)) = fields else { break };
        at += size.next_multiple_of(4);
        if flags & 0b1100 == 0 {
            found.push(Entry { name: text(name), place, is_directory: flags & 2 != 0 });
        }
    }
    found
}

/// A name: the number of bits of a character, 8 or 16, and the characters (OSTA CS0).
fn text(name: &[u8]) -> String {
    match name.split_first() {
        Some((8 | 254, name)) => name.iter().map(|byte| char::from(*byte)).collect(),
        Some((16 | 255, name)) => {
            let units = name.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => String::from_utf8_lossy(name).into_owned(),
    }
}

/// The place in the long allocation descriptor at `at`.
fn place(bytes: &Bytes<'_>, at: u64) -> Option<Place> {
    Some(Place { block: bytes.u32(at + 4, Endian::Little)?, partition: bytes.u16(at + 8, Endian::Little)? })
}

/// Whether the checksum of a descriptor's tag is right.
fn is_descriptor(bytes: &[u8]) -> bool {
    let Some(tag) = bytes.first_chunk::<16>() else { return false };
    let sum = tag.iter().enumerate().filter(|(i, _)| *i != 4);
    sum.fold(0_u8, |sum, (_, byte)| sum.wrapping_add(*byte)) == tag[4]
}

impl Volume {
    /// Reads the descriptors of the volume; returns it and the place of its file set.
    fn open(source: &mut dyn Source) -> Result<(Self, Place), ArchiveError> {
        let size = size_of(source)?;
        // The anchor is in sector 256 or at the end; the size of a sector is not said before.
        let anchors = [2048, 512, 4096].into_iter().flat_map(|sector: u64| {
            [256, (size / sector).saturating_sub(1), (size / sector).saturating_sub(257)]
                .map(|at| (at, sector))
        });
        for (at, sector) in anchors {
            let Ok(anchor) = read_at(source, at * sector, 512) else { continue };
            let bytes = Bytes::new(&anchor, 512);
            let is_anchor = is_descriptor(&anchor)
                && bytes.u16(0, Endian::Little) == Some(2)
                && bytes.u32(12, Endian::Little).map(u64::from) == Some(at);
            let sequence = bytes.u32(16, Endian::Little).zip(bytes.u32(20, Endian::Little));
            if let Some((length, start)) = sequence.filter(|_| is_anchor) {
                return Self::of_sequence(source, sector, start.into(), length.into());
            }
        }
        Err(damaged("its anchor is missing"))
    }

    /// Reads the sequence of descriptors: the partitions and how they are mapped.
    fn of_sequence(
        source: &mut dyn Source,
        sector: u64,
        start: u64,
        length: u64,
    ) -> Result<(Self, Place), ArchiveError> {
        let mut partitions = Vec::new();
        let mut logical = None;
        for i in 0..(length / sector).min(256) {
            let Ok(descriptor) = read_at(source, (start + i) * sector, sector) else { break };
            let bytes = Bytes::new(&descriptor, sector);
            match bytes.u16(0, Endian::Little).filter(|_| is_descriptor(&descriptor)) {
                Some(5) => {
                    partitions.extend(bytes.u16(22, Endian::Little).zip(bytes.u32(188, Endian::Little)));
                }
                Some(6) => logical = Some(descriptor),
                Some(8) => break,
                _ => {}
            }
        }
        let logical = logical.ok_or_else(|| damaged("the descriptor of its volume is missing"))?;
        let bytes = Bytes::new(&logical, sector);
        let cut = || damaged("the descriptor of its volume is cut off");
        let block = u64::from(bytes.u32(212, Endian::Little).ok_or_else(cut)?);
        let set = place(&bytes, 248).ok_or_else(cut)?;
        let count = bytes.u32(268, Endian::Little).ok_or_else(cut)?;
        if !matches!(block, 512 | 1024 | 2048 | 4096) {
            return Err(damaged("the size of its blocks is unknown"));
        }
        let start_of = |number: Option<u16>| {
            let found = partitions.iter().find(|(other, _)| Some(*other) == number);
            found.map_or(Map::Unknown("a partition that is missing"), |(_, start)| {
                Map::Plain(u64::from(*start) * sector)
            })
        };
        let mut volume = Self { block, maps: Vec::new(), parts_left: MOST_PARTS };
        let mut at = 440;
        for _ in 0..count.min(16) {
            let Some([kind, size]) = bytes.array(at) else { break };
            let map = match (kind, bytes.get(at + 5, 23)) {
                (1, _) => start_of(bytes.u16(at + 4, Endian::Little)),
                (2, Some(name)) if name.starts_with(b"*UDF Sparable Partition") => {
                    start_of(bytes.u16(at + 38, Endian::Little))
                }
                (2, Some(name)) if name.starts_with(b"*UDF Metadata Partition") => {
                    // The file is read from the plain partition with the same number.
                    let base = start_of(bytes.u16(at + 38, Endian::Little));
                    let file = bytes.u32(at + 40, Endian::Little).ok_or_else(cut)?;
                    let mut plain = Self { block, maps: vec![base], parts_left: MOST_PARTS };
                    Map::Metadata(plain.content(source, Place { block: file, partition: 0 })?.0)
                }
                (2, Some(name)) if name.starts_with(b"*UDF Virtual Partition") => {
                    Map::Unknown("the virtual partitions of UDF")
                }
                _ => Map::Unknown("an unknown partition of UDF"),
            };
            volume.maps.push(map);
            at += u64::from(size.max(1));
        }
        Ok((volume, set))
    }

    /// The offset of a place in the image, and how many bytes follow it there.
    fn offset(&self, at: Place) -> Result<(u64, u64), ArchiveError> {
        let mut within = u64::from(at.block) * self.block;
        match self.maps.get(usize::from(at.partition)) {
            Some(Map::Plain(start)) => Ok((start + within, u64::MAX)),
            Some(Map::Metadata(parts)) => {
                for part in parts {
                    if let (true, Some(offset)) = (within < part.size, part.offset) {
                        return Ok((offset.saturating_add(within), part.size - within));
                    }
                    within = within.saturating_sub(part.size);
                }
                Err(damaged("it refers to metadata that are not there"))
            }
            Some(Map::Unknown(what)) => Err(ArchiveError::Method((*what).to_owned())),
            None => Err(damaged("it refers to a partition that is not there")),
        }
    }

    /// The descriptor of this type at a place.
    fn descriptor(&self, source: &mut dyn Source, at: Place, tag: u16) -> Result<Vec<u8>, ArchiveError> {
        let bytes = self.read_block(source, at)?;
        if Bytes::new(&bytes, self.block).u16(0, Endian::Little) == Some(tag) && is_descriptor(&bytes) {
            Ok(bytes)
        } else {
            Err(damaged("expected a descriptor, found other bytes"))
        }
    }

    fn read_block(&self, source: &mut dyn Source, at: Place) -> Result<Vec<u8>, ArchiveError> {
        read_at(source, self.offset(at)?.0, self.block).map_err(ArchiveError::damaged)
    }

    /// Where the content of the file with the entry at this place is, and the type of the file.
    fn content(&mut self, source: &mut dyn Source, at: Place) -> Result<(Vec<Part>, u8), ArchiveError> {
        let entry = self.read_block(source, at)?;
        let bytes = Bytes::new(&entry, self.block);
        let cut = || damaged("the entry of a file is cut off");
        let fixed = match bytes.u16(0, Endian::Little).filter(|_| is_descriptor(&entry)) {
            Some(261) => 176,
            Some(266) => 216,
            _ => return Err(damaged("expected the entry of a file, found other bytes")),
        };
        let [kind] = bytes.array(16 + 11).ok_or_else(cut)?;
        let flags = bytes.u16(16 + 18, Endian::Little).ok_or_else(cut)?;
        let size = bytes.u64(56, Endian::Little).ok_or_else(cut)?;
        let attributes = bytes.u32(fixed - 8, Endian::Little).ok_or_else(cut)?;
        let length = bytes.u32(fixed - 4, Endian::Little).ok_or_else(cut)?;
        let list_at = fixed + u64::from(attributes);
        let list = bytes.get(list_at, length.into()).ok_or_else(cut)?;
        let short = match flags & 7 {
            0 => true,
            1 => false,
            // The content itself is in the entry.
            3 => {
                let offset = self.offset(at)?.0 + list_at;
                return Ok((vec![Part { offset: Some(offset), size: size.min(length.into()) }], kind));
            }
            _ => return Err(ArchiveError::Method("extended allocation descriptors of UDF".to_owned())),
        };
        let parts = self.parts(source, list.to_vec(), short, at.partition, size)?;
        Ok((parts, kind))
    }

    /// The parts in a list of allocation descriptors, which are short or long, up to the size of the file.
    fn parts(
        &mut self,
        source: &mut dyn Source,
        mut list: Vec<u8>,
        short: bool,
        partition: u16,
        size: u64,
    ) -> Result<Vec<Part>, ArchiveError> {
        let mut parts = Vec::new();
        let mut left = size;
        'lists: for _ in 0..MOST_LISTS {
            let bytes = Bytes::new(&list, list.len() as u64);
            let mut at = 0;
            while left > 0 {
                let length = bytes.u32(at, Endian::Little).filter(|length| length & 0x3fff_ffff != 0);
                let Some((length, block)) = length.zip(bytes.u32(at + 4, Endian::Little)) else {
                    break 'lists;
                };
                let partition = if short { Some(partition) } else { bytes.u16(at + 8, Endian::Little) };
                let Some(partition) = partition else { break 'lists };
                at += if short { 8 } else { 16 };
                let mut place = Place { block, partition };
                let (kind, mut length) = (length >> 30, u64::from(length & 0x3fff_ffff));
                if kind == 3 {
                    // The list continues there.
                    let next = self.descriptor(source, place, 258)?;
                    let used = Bytes::new(&next, self.block).u32(20, Endian::Little).unwrap_or(0) as usize;
                    let rest = next.get(24..).unwrap_or_default();
                    list = rest.get(..used).unwrap_or(rest).to_vec();
                    continue 'lists;
                }
                length = length.min(left);
                left -= length;
                while length > 0 {
                    self.parts_left = self
                        .parts_left
                        .checked_sub(1)
                        .ok_or(ArchiveError::Limit("the most parts that its files may have"))?;
                    // Extents that are not recorded read as zeros.
                    let (offset, here) = if kind == 0 {
                        self.offset(place).map(|(at, here)| (Some(at), here))?
                    } else {
                        (None, length)
                    };
                    let now = length.min(here);
                    parts.push(Part { offset, size: now });
                    length -= now;
                    let blocks = now.div_ceil(self.block);
                    place.block = place.block.saturating_add(u32::try_from(blocks).unwrap_or(u32::MAX));
                }
            }
            break;
        }
        if left > 0 {
            return Err(damaged("parts of it are missing"));
        }
        Ok(parts)
    }
}
