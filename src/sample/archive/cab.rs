//! Cabinets ([MS-CAB]): stored, MSZIP ([MS-MCI]) and LZX ([MS-PATCH]). A cabinet has folders, compressed as a whole, and
//! files in them. The folders are read once from start to end, and files are known by their number and not by their
//! name, so that neither a name that occurs twice nor a file that overlaps another costs more than its bytes.

use super::cab_codec::{BLOCK, Codec, damaged};
use super::error::ArchiveError;
use super::extents::{Exactly, read_at, read_up_to};
use super::names;
use super::source::Source;
use super::unpacker::Unpacker;
use crate::sample::bytes::{Bytes, Endian};
use std::io::{self, Read};
use std::path::Path;

/// The first bytes of a cabinet.
pub const MAGIC: &[u8] = b"MSCF";
/// The longest name.
const MOST_NAME: usize = 1024;

/// A folder.
struct Folder {
    offset: u64,
    blocks: u16,
    compression: u16,
}

/// A file.
struct File {
    name: Vec<u8>,
    /// Its place in the decompressed folder.
    offset: u64,
    size: u64,
}

/// The header of a cabinet.
struct Cabinet {
    folders: Vec<Folder>,
    /// The files of each folder.
    files: Vec<Vec<File>>,
    /// Files of which a part is in another cabinet, and its name.
    split: Vec<(Vec<u8>, String)>,
    /// Bytes of each block that are reserved for programs.
    reserved: u8,
    /// Why not all files could be listed.
    damaged: Option<ArchiveError>,
}

/// Reads the cabinet and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let mut cabinet = header(source)?;
    for (name, other) in cabinet.split {
        unpacker.budget.take_member()?;
        unpacker.fail(path, &name, ArchiveError::Split(other))?;
    }
    for (folder, files) in cabinet.folders.iter().zip(&mut cabinet.files) {
        // An empty file is where another one begins.
        files.sort_by_key(|file| (file.offset, file.size));
        read_folder(unpacker, path, source, folder, files, cabinet.reserved)?;
    }
    cabinet.damaged.map_or(Ok(()), Err)
}

/// Reads the header, the folders and the files.
fn header(source: &mut dyn Source) -> Result<Cabinet, ArchiveError> {
    const CUT: &str = "its header is cut off";
    let cut = || ArchiveError::damaged(CUT);
    // Folders have at most 8 + 255 bytes each, and there are at most 65,535 of them.
    let head = read_up_to(source, 0, 18 << 20).map_err(ArchiveError::damaged)?;
    let bytes = Bytes::new(&head, head.len() as u64);
    let word = |at| bytes.u16(at, Endian::Little).ok_or_else(cut);
    let long = |at| bytes.u32(at, Endian::Little).map(u64::from).ok_or_else(cut);
    let first_file = long(16)?;
    let (folder_count, file_count, flags) = (word(26)?, word(28)?, word(30)?);
    let mut at = 36;
    let (mut folder_reserved, mut reserved) = (0, 0);
    if flags & 4 != 0 {
        let [_, _, folder, block] = bytes.array(at).ok_or_else(cut)?;
        (folder_reserved, reserved) = (u64::from(folder), block);
        at += 4 + u64::from(word(at)?);
    }
    // The names of the cabinets before and after this one, and those of their disks.
    let mut others = Vec::new();
    for flag in [1, 2] {
        let mut other = String::new();
        if flags & flag != 0 {
            let name = bytes.text(at, 256).ok_or_else(cut)?;
            other = String::from_utf8_lossy(name).into_owned();
            at += name.len() as u64 + 1;
            at += bytes.text(at, 256).ok_or_else(cut)?.len() as u64 + 1;
        }
        others.push(other);
    }
    let mut folders = Vec::new();
    for _ in 0..folder_count {
        folders.push(Folder { offset: long(at)?, blocks: word(at + 4)?, compression: word(at + 6)? });
        at += 8 + folder_reserved;
    }
    let mut files: Vec<Vec<File>> = folders.iter().map(|_| Vec::new()).collect();
    let mut split = Vec::new();
    // Files are at most 16 bytes and a name, but may be anywhere.
    let table = read_up_to(source, first_file, u64::from(file_count) * (16 + MOST_NAME as u64 + 1))
        .map_err(ArchiveError::damaged)?;
    let bytes = Bytes::new(&table, table.len() as u64);
    let mut damaged = None;
    let mut at = 0;
    for _ in 0..file_count {
        let found = (|| {
            let size = bytes.u32(at, Endian::Little)?;
            let offset = bytes.u32(at + 4, Endian::Little)?;
            let folder = bytes.u16(at + 8, Endian::Little)?;
            let name = bytes.text(at + 16, MOST_NAME)?;
            Some((File { name: name.to_vec(), offset: offset.into(), size: size.into() }, folder))
        })();
        let Some((file, folder)) = found else {
            damaged = Some(ArchiveError::damaged("its list of files is cut off"));
            break;
        };
        at += 16 + file.name.len() as u64 + 1;
        let [before, after] = &others[..] else { break };
        match folder {
            0xfffd | 0xffff => split.push((file.name, before.clone())),
            0xfffe => split.push((file.name, after.clone())),
            folder => match files.get_mut(usize::from(folder)) {
                Some(files) => files.push(file),
                None => split.push((file.name, "a folder that is not in it".to_owned())),
            },
        }
    }
    let names = files.iter_mut().flatten().map(|file| &mut file.name);
    names::make_readable(names.chain(split.iter_mut().map(|(name, _)| name)));
    for name in
        files.iter_mut().flatten().map(|file| &mut file.name).chain(split.iter_mut().map(|(name, _)| name))
    {
        slashes(name);
    }
    Ok(Cabinet { folders, files, split, reserved, damaged })
}

/// Gives a name the separator of folders that other formats have. In a code page, a backslash can be a part of a letter,
/// so the name has to be readable.
fn slashes(name: &mut [u8]) {
    name.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
}

/// Passes on the files of one folder, which are in the order of their offsets.
fn read_folder(
    unpacker: &mut Unpacker<'_>,
    path: &Path,
    source: &mut dyn Source,
    folder: &Folder,
    files: &[File],
    reserved: u8,
) -> Result<(), ArchiveError> {
    let mut reader = match Codec::new(folder.compression, unpacker.budget.limits.memory_kib) {
        Ok(codec) => Blocks {
            source,
            next: folder.offset,
            left: folder.blocks,
            reserved,
            codec,
            block: Vec::new(),
            at: 0,
            failed: None,
        },
        Err(why) => {
            for file in files {
                unpacker.budget.take_member()?;
                unpacker.fail(path, &file.name, ArchiveError::Method(why.clone()))?;
            }
            return Ok(());
        }
    };
    let mut position = 0;
    for file in files {
        unpacker.budget.take_member()?;
        let Some(gap) = file.offset.checked_sub(position) else {
            let why = "it overlaps another file, which this version does not read";
            unpacker.fail(path, &file.name, ArchiveError::damaged(why))?;
            continue;
        };
        skip(unpacker, &mut reader, gap)?;
        let mut content = Exactly::new(&mut reader, file.size);
        let read = unpacker.budget.read(&mut content, ArchiveError::damaged);
        position = file.offset + file.size - content.left();
        match read {
            Ok(bytes) => unpacker.take(path, &file.name, bytes)?,
            Err(error) => unpacker.fail(path, &file.name, error)?,
        }
    }
    Ok(())
}

/// Skips decompressed bytes, which count as work. The error of a damaged block is that of the next file.
fn skip(unpacker: &mut Unpacker<'_>, reader: &mut Blocks<'_>, size: u64) -> Result<(), ArchiveError> {
    let mut left = size;
    while left > 0 {
        let Ok(skipped @ 1..) = io::copy(&mut reader.take(left.min(1 << 20)), &mut io::sink()) else { break };
        left -= skipped;
        unpacker.budget.take_bytes(skipped, 0)?;
    }
    Ok(())
}

/// Reads the decompressed bytes of a folder.
struct Blocks<'a> {
    source: &'a mut dyn Source,
    next: u64,
    left: u16,
    reserved: u8,
    codec: Codec,
    block: Vec<u8>,
    at: usize,
    /// Why no more blocks can be read.
    failed: Option<String>,
}

impl Blocks<'_> {
    /// Reads and decompresses the next block.
    fn next_block(&mut self) -> io::Result<()> {
        let head = read_at(self.source, self.next, 8)?;
        let [a, b, c, d, packed @ ..] = &head[..] else { return Err(damaged("a block is cut off")) };
        let expected = u32::from_le_bytes([*a, *b, *c, *d]);
        let [p, q, s, t] = *packed else { return Err(damaged("a block is cut off")) };
        let (packed, size) = (u16::from_le_bytes([p, q]), usize::from(u16::from_le_bytes([s, t])));
        let content = read_at(self.source, self.next + 8, u64::from(self.reserved) + u64::from(packed))?;
        self.next += 8 + content.len() as u64;
        self.left -= 1;
        if expected != 0 && !fits(expected, [p, q, s, t], &content, self.reserved) {
            return Err(damaged("the checksum of a block is wrong"));
        }
        if size > BLOCK {
            return Err(damaged("a block is larger than the format allows"));
        }
        if size == 0 {
            return Err(damaged("a part of it is in another cabinet"));
        }
        let content = content.get(usize::from(self.reserved)..).unwrap_or_default();
        self.block.clear();
        self.at = 0;
        self.codec.decompress(content, size, &mut self.block)
    }
}

/// Whether the checksum of a block fits: its words of four bytes combined, with the two sizes. Programs differ in whether
/// the bytes that are reserved count.
fn fits(expected: u32, sizes: [u8; 4], content: &[u8], reserved: u8) -> bool {
    let (reserved, packed) = content.split_at(usize::from(reserved).min(content.len()));
    let sum = |bytes: &[u8]| {
        let (words, rest) = bytes.as_chunks::<4>();
        let sum = words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
        // The last bytes are read as a number whose first byte is the highest.
        sum ^ rest.iter().fold(0, |last, byte| last << 8 | u32::from(*byte))
    };
    let found = u32::from_le_bytes(sizes) ^ sum(packed);
    expected == found || expected == found ^ sum(reserved)
}

impl Read for Blocks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(why) = &self.failed {
            return Err(damaged(why));
        }
        if self.at == self.block.len() && !buffer.is_empty() {
            if self.left == 0 {
                return Ok(0);
            }
            if let Err(error) = self.next_block() {
                self.block.clear();
                self.at = 0;
                self.failed = Some(error.to_string());
                return Err(error);
            }
        }
        let mut rest = self.block.get(self.at..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.at += read;
        Ok(read)
    }
}
