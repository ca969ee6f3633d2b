//! ISO 9660 images (ECMA-119), with the names of Joliet or Rock Ridge (IEEE P1282), and UDF images, which are often both.
//! Each system reads another of the directory trees in an image, so all are read: a file that only one of them names is
//! a member too.

use super::error::ArchiveError;
use super::extents::{Extents, Part, read_at, read_up_to, size_of};
use super::image_file::ImageFile;
use super::source::Source;
use super::udf;
use super::unpacker::Unpacker;
use crate::sample::bytes::{Bytes, Endian};
use std::collections::HashSet;
use std::path::Path;

/// The size of a sector.
const SECTOR: u64 = 2048;
/// The first volume descriptor.
const DESCRIPTORS: u64 = 16 * SECTOR;
/// Bytes of directories that are read in one tree.
const MOST_DIRECTORIES: u64 = 64 << 20;
/// The longest path.
const MOST_PATH: usize = 4096;
/// Areas in which the fields of one name may continue.
const MOST_AREAS: usize = 16;

/// Whether these are the first bytes of an image: the mark of a volume descriptor of ISO 9660 or of UDF (ECMA-167).
pub fn is_image(head: &[u8]) -> bool {
    let at = |sector: u64, mark: &[u8]| {
        let start = usize::try_from(sector * SECTOR + 1).ok();
        start.and_then(|start| head.get(start..)).is_some_and(|rest| rest.starts_with(mark))
    };
    at(16, b"CD001") || (16..24).any(|sector| at(sector, b"BEA01") && at(sector + 1, b"NSR0"))
}

/// Reads the image and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let most = unpacker.budget.limits.members;
    let volumes = volumes(source)?;
    let mut trees = Vec::new();
    let mut failed = None;
    if volumes.udf {
        match udf::files(source, most) {
            Ok(files) => trees.push(files),
            Err(error) => failed = Some(error),
        }
    }
    for tree in &volumes.trees {
        match tree.files(source, most) {
            Ok(files) => trees.push(files),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    // Contents that were passed on: where they begin, and their size.
    let mut seen = HashSet::new();
    let mut passed: HashSet<(u64, u64)> = HashSet::new();
    for files in trees {
        for file in files {
            let size = file.parts.iter().fold(0_u64, |size, part| size.saturating_add(part.size));
            let place = file.parts.iter().find_map(|part| part.offset.filter(|_| part.size > 0));
            let key = (place.unwrap_or(0), size);
            // Another tree names this file too.
            if !passed.is_empty() && (passed.contains(&key) || size == 0 && file.problem.is_none()) {
                continue;
            }
            seen.insert(key);
            unpacker.budget.take_member()?;
            let read = match file.problem {
                Some(problem) => Err(problem),
                None => unpacker.budget.read(&mut Extents::new(source, &file.parts), ArchiveError::damaged),
            };
            match read {
                Ok(bytes) => unpacker.take(path, &file.name, bytes)?,
                Err(error) => unpacker.fail(path, &file.name, error)?,
            }
        }
        passed.extend(seen.drain());
    }
    failed.map_or(Ok(()), Err)
}

/// What the volume descriptors name.
struct Volumes {
    /// Directory trees, the one with the best names first.
    trees: Vec<Tree>,
    udf: bool,
}

/// A directory tree.
struct Tree {
    /// The size of a logical block.
    block: u64,
    /// The first block of the root directory.
    root: u32,
    root_size: u32,
    joliet: bool,
    /// Bytes of each record before its Rock Ridge fields, if there are such fields.
    rock_ridge: Option<usize>,
}

fn volumes(source: &mut dyn Source) -> Result<Volumes, ArchiveError> {
    let mut found = Volumes { trees: Vec::new(), udf: false };
    let descriptors = read_up_to(source, DESCRIPTORS, 64 * SECTOR).map_err(ArchiveError::damaged)?;
    for descriptor in descriptors.chunks(SECTOR as usize) {
        let bytes = Bytes::new(descriptor, SECTOR);
        match bytes.get(1, 5) {
            Some(b"CD001") => {}
            Some(b"NSR02" | b"NSR03") => found.udf = true,
            Some(b"BEA01" | b"BOOT2" | b"TEA01") => continue,
            _ => break,
        }
        let escape = bytes.get(88, 3);
        let joliet = matches!(escape, Some(b"%/@" | b"%/C" | b"%/E"));
        let kind = descriptor.first();
        if kind != Some(&1) && !(kind == Some(&2) && joliet) {
            continue;
        }
        let (Some(block), Some(root), Some(root_size)) = (
            bytes.u16(128, Endian::Little),
            bytes.u32(156 + 2, Endian::Little),
            bytes.u32(156 + 10, Endian::Little),
        ) else {
            continue;
        };
        let block = u64::from(block).clamp(512, 32 << 10);
        if found.trees.len() < 8 {
            found.trees.push(Tree { block, root, root_size, joliet, rock_ridge: None });
        }
    }
    for tree in found.trees.iter_mut().filter(|tree| !tree.joliet) {
        tree.rock_ridge = tree.find_rock_ridge(source);
    }
    // Rock Ridge has the names as they were, Joliet cuts long ones, and ISO 9660 has eight letters.
    found.trees.sort_by_key(|tree| if tree.rock_ridge.is_some() { 0 } else { usize::from(!tree.joliet) + 1 });
    if found.trees.is_empty() && !found.udf {
        return Err(ArchiveError::damaged("expected a volume descriptor, found none"));
    }
    Ok(found)
}

/// A directory that is still to be read.
struct Directory {
    block: u32,
    /// `None`: its first record says how large it is.
    size: Option<u32>,
    path: Vec<u8>,
}

/// A record of a directory.
struct Record<'a> {
    block: u32,
    size: u32,
    flags: u8,
    interleaved: bool,
    name: &'a [u8],
    system_use: &'a [u8],
}

/// What the Rock Ridge fields of a record say.
#[derive(Default)]
struct RockRidge {
    name: Vec<u8>,
    is_link: bool,
    /// The block of a directory that was moved elsewhere because it was too deep.
    child: Option<u32>,
    is_moved: bool,
    is_compressed: bool,
}

impl Tree {
    /// Whether the first record of the root has the mark of Rock Ridge, and how many bytes come before its fields.
    fn find_rock_ridge(&self, source: &mut dyn Source) -> Option<usize> {
        let directory = read_up_to(source, u64::from(self.root) * self.block, SECTOR).ok()?;
        let record = record(&directory)?;
        match record.system_use {
            [b'S', b'P', 7..=255, _, 0xbe, 0xef, skip, ..] => Some(usize::from(*skip)),
            _ => None,
        }
    }

    /// All files of the tree, at most so many.
    fn files(&self, source: &mut dyn Source, most: usize) -> Result<Vec<ImageFile>, ArchiveError> {
        let image = size_of(source)?;
        let mut files: Vec<ImageFile> = Vec::new();
        let mut todo = vec![Directory { block: self.root, size: Some(self.root_size), path: Vec::new() }];
        // Directories that were moved are named by the directory in which they belong, if there is one.
        let mut moved = Vec::new();
        let mut seen = HashSet::new();
        let mut left = MOST_DIRECTORIES;
        while let Some(directory) = todo.pop().or_else(|| moved.pop()) {
            if !seen.insert(directory.block) {
                continue;
            }
            let start = u64::from(directory.block) * self.block;
            let size = match directory.size {
                Some(size) => size,
                None => {
                    let first = read_up_to(source, start, SECTOR).map_err(ArchiveError::damaged)?;
                    record(&first).map_or(0, |record| record.size)
                }
            };
            left = left
                .checked_sub(size.into())
                .ok_or(ArchiveError::Limit("the most bytes that its directories may have"))?;
            let records = match read_at(source, start, size.into()) {
                Ok(records) => records,
                Err(error) => {
                    let problem = Some(ArchiveError::damaged(error));
                    files.push(ImageFile { name: directory.path, parts: Vec::new(), problem });
                    continue;
                }
            };
            let mut at = 0;
            let mut continues = false;
            while at < records.len() {
                let Some(record) = records.get(at..).and_then(record) else {
                    // Records do not cross sectors.
                    at = (at / SECTOR as usize + 1) * SECTOR as usize;
                    continue;
                };
                at += usize::from(records.get(at).copied().unwrap_or(1));
                // The directory itself and the one above.
                if matches!(record.name, [] | [0 | 1]) {
                    continue;
                }
                if files.len() + todo.len() + moved.len() > most {
                    return Err(ArchiveError::Limit("the most files that an archive may hold"));
                }
                let fields = self.rock_ridge.map(|skip| self.rock_ridge(source, &record, skip));
                let fields = fields.unwrap_or_default();
                let path = self.path(&directory.path, &record, &fields);
                if let Some(child) = fields.child {
                    todo.push(Directory { block: child, size: None, path });
                } else if record.flags & 2 != 0 {
                    let directories = if fields.is_moved { &mut moved } else { &mut todo };
                    directories.push(Directory { block: record.block, size: Some(record.size), path });
                } else if !fields.is_link {
                    let offset = u64::from(record.block) * self.block;
                    let part = Part { offset: Some(offset), size: record.size.into() };
                    match files.last_mut().filter(|_| continues) {
                        Some(file) => file.parts.push(part),
                        None => files.push(ImageFile { name: path, parts: vec![part], problem: None }),
                    }
                    if let Some(file) = files.last_mut() {
                        file.problem = file.problem.take().or(problem(&record, &fields, offset, image));
                    }
                    // A file of more than 4 GiB has several records.
                    continues = record.flags & 0x80 != 0;
                }
            }
        }
        Ok(files)
    }

    /// The path of what a record names.
    fn path(&self, directory: &[u8], record: &Record<'_>, fields: &RockRidge) -> Vec<u8> {
        let name = if !fields.name.is_empty() {
            fields.name.clone()
        } else if self.joliet {
            let units = record.name.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
            let name: String =
                char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            without_version(name.as_bytes()).to_vec()
        } else {
            let name = without_version(record.name);
            name.strip_suffix(b".").unwrap_or(name).to_vec()
        };
        let mut path = directory.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend(name);
        if record.flags & 4 != 0 {
            // The resource fork of a file, which has the same name.
            path.extend(b" (associated)");
        }
        path.truncate(MOST_PATH);
        path
    }

    /// Reads the Rock Ridge fields of a record. They may continue in other areas.
    fn rock_ridge(&self, source: &mut dyn Source, record: &Record<'_>, skip: usize) -> RockRidge {
        let mut found = RockRidge::default();
        let mut area = record.system_use.get(skip..).unwrap_or_default().to_vec();
        for _ in 0..MOST_AREAS {
            let Some(next) = found.read(&area) else { break };
            let (block, offset, size) = next;
            let start = u64::from(block) * self.block + u64::from(offset);
            match read_up_to(source, start, u64::from(size).min(SECTOR)) {
                Ok(bytes) => area = bytes,
                Err(_) => break,
            }
        }
        found
    }
}

impl RockRidge {
    /// Reads the fields of one area; returns where they continue: block, offset and size.
    fn read(&mut self, area: &[u8]) -> Option<(u32, u32, u32)> {
        let mut next = None;
        let mut at = 0;
        while let Some(field) = area.get(at..).filter(|rest| rest.len() >= 4) {
            let size = usize::from(field.get(2).copied().unwrap_or_default());
            let Some(field) = field.get(..size).filter(|_| size >= 4) else { break };
            at += size;
            let number = |at| Bytes::new(field, size as u64).u32(at, Endian::Little);
            match field.get(..2) {
                // The flags 2 and 4 stand for the directory itself and the one above.
                Some(b"NM") if field.get(4).is_some_and(|flags| flags & 6 == 0) => {
                    self.name.extend_from_slice(field.get(5..).unwrap_or_default());
                    self.name.truncate(MOST_PATH);
                }
                Some(b"PX") => {
                    let kind = number(4).map_or(0, |mode| mode >> 12 & 15);
                    self.is_link = !matches!(kind, 0 | 4 | 8);
                }
                Some(b"SL") => self.is_link = true,
                Some(b"CL") => self.child = number(4),
                Some(b"RE") => self.is_moved = true,
                Some(b"ZF") => self.is_compressed = true,
                Some(b"CE") => next = number(4).zip(number(12)).zip(number(20)),
                Some(b"ST") => break,
                _ => {}
            }
        }
        next.map(|((block, offset), size)| (block, offset, size))
    }
}

/// The record at the start of `bytes`.
fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let size = usize::from(*bytes.first()?);
    let bytes = bytes.get(..size).filter(|_| size >= 34)?;
    let fields = Bytes::new(bytes, size as u64);
    let name_size = usize::from(*bytes.get(32)?);
    // What comes before the content has its own blocks.
    let before = u32::from(*bytes.get(1)?);
    let padded = 33 + name_size + usize::from(name_size.is_multiple_of(2));
    Some(Record {
        block: fields.u32(2, Endian::Little)?.saturating_add(before),
        size: fields.u32(10, Endian::Little)?,
        flags: *bytes.get(25)?,
        interleaved: *bytes.get(26)? != 0 || *bytes.get(27)? != 0,
        name: bytes.get(33..33 + name_size)?,
        system_use: bytes.get(padded..).unwrap_or_default(),
    })
}

/// Why a file cannot be read.
fn problem(record: &Record<'_>, fields: &RockRidge, offset: u64, image: u64) -> Option<ArchiveError> {
    let missing = (offset + u64::from(record.size)).saturating_sub(image);
    if fields.is_compressed {
        Some(ArchiveError::Method("zisofs compression".to_owned()))
    } else if record.interleaved {
        Some(ArchiveError::Method("interleaved files".to_owned()))
    } else if record.size > 0 && missing > 0 {
        let missing = missing.min(record.size.into());
        Some(ArchiveError::damaged(format!("{missing} bytes of it are missing")))
    } else {
        None
    }
}

/// A name without its version number: `A.EXE;1`.
fn without_version(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|byte| *byte == b';') {
        Some(at) if name.get(at + 1..).is_some_and(|rest| rest.iter().all(u8::is_ascii_digit)) => {
            name.get(..at).unwrap_or(name)
        }
        _ => name,
    }
}
