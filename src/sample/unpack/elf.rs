//! An ELF that is packed with UPX: the file as it was, byte for byte.
//!
//! Behind the program headers are the loader's information (12 bytes, with the magic), the program's (12 bytes: 0, the
//! size of the file, the size of a block) and then blocks. The first block is the original header with the program
//! headers; the next ones are the segments, in the order of the program headers. Behind the stub are the blocks of what
//! is in no segment, an empty block, and the header that `pack_header` reads. A block is its size decompressed and
//! compressed, a method, a filter and the filter's marker, and the bytes, which are as they are if both sizes are equal.
//!
//! The stub reads the blocks, so they are right even where the magic and both headers were overwritten.

use super::adler::Adler;
use super::budget::{Budget, MAX_UNPACKED};
use super::elf_headers::{ElfHeaders, Segment};
use super::filter::Filter;
use super::methods::Method;
use super::pack_header::PackHeader;
use super::release;
use super::shared_library;
use super::unpacked::{How, UnpackError, Unpacked};
use crate::sample::bytes::{Bytes, Endian};

/// The size of the header of a block.
const BLOCK: u64 = 12;
/// What is between the program headers and the first block.
const INFORMATION: u64 = 24;
/// Bytes at the end of the file where the header of UPX is searched.
const TAIL: u64 = 4 << 10;
/// Blocks that are tried as the first one.
const MAX_TRIED: usize = 64;
/// Places that are looked at for the first one.
const MAX_FOUND: usize = 4096;
/// Headers of blocks that are looked at to find those behind the stub.
const MAX_STEPS: usize = 1 << 20;

/// The header of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    unpacked: u32,
    packed: u32,
    method: u8,
    filter: Filter,
}

impl Block {
    fn read(bytes: Bytes<'_>, at: u64, endian: Endian) -> Option<Self> {
        let [method, id, marker] = bytes.array(at.checked_add(8)?)?;
        Some(Self {
            unpacked: bytes.u32(at, endian)?,
            packed: bytes.u32(at.checked_add(4)?, endian)?,
            method,
            filter: Filter { id, marker },
        })
    }

    /// Whether it can be one with bytes.
    fn is_plausible(&self) -> bool {
        self.packed > 0
            && self.packed <= self.unpacked
            && self.unpacked as usize <= MAX_UNPACKED
            && (self.packed == self.unpacked || Method::of(self.method).is_some() && self.filter.is_known())
    }
}

/// Reads one block after the other.
#[derive(Debug)]
pub struct Blocks<'a> {
    bytes: Bytes<'a>,
    endian: Endian,
    /// The offset of the next block.
    pub at: u64,
    packed: Adler,
    unpacked: Adler,
    /// The method and the filter of the largest block with one.
    method: Option<Method>,
    filter: u8,
    budget: Budget,
}

impl Blocks<'_> {
    /// Decompresses the next block.
    pub fn next(&mut self) -> Result<Vec<u8>, UnpackError> {
        let at = self.at;
        let wrong = |why: String| damaged(format!("the block at offset {at}: {why}"));
        let block = Block::read(self.bytes, at, self.endian)
            .ok_or_else(|| wrong("expected its header, found the end of the file".to_owned()))?;
        if !block.is_plausible() {
            return Err(wrong(format!(
                "expected sizes and a method, found {} -> {} bytes, method {}, filter 0x{:02x}",
                block.packed, block.unpacked, block.method, block.filter.id
            )));
        }
        let packed = self
            .bytes
            .get(at.saturating_add(BLOCK), block.packed.into())
            .ok_or_else(|| wrong(format!("expected {} bytes, found the end of the file", block.packed)))?;
        let unpacked = match Method::of(block.method) {
            Some(method) if block.packed < block.unpacked => {
                let mut unpacked =
                    method.exactly(packed, block.unpacked as usize, &mut self.budget).map_err(wrong)?;
                block.filter.undo(&mut unpacked, 0).map_err(wrong)?;
                self.method = self.method.or(Some(method));
                self.filter = if block.filter.id == 0 { self.filter } else { block.filter.id };
                unpacked
            }
            _ => {
                self.budget.take(packed.len()).map_err(wrong)?;
                packed.to_vec()
            }
        };
        self.packed.push(packed);
        self.unpacked.push(&unpacked);
        self.at = at.saturating_add(BLOCK).saturating_add(block.packed.into());
        Ok(unpacked)
    }

    /// Decompresses blocks of `wanted` bytes together into `image` at `offset`.
    pub fn extent(&mut self, image: &mut Vec<u8>, offset: u64, wanted: u64) -> Result<(), UnpackError> {
        let mut done = 0_u64;
        while done < wanted {
            let block = self.next()?;
            if block.len() as u64 > wanted - done {
                return Err(damaged(format!(
                    "expected {} bytes of a segment, found a block of {} before offset {}",
                    wanted - done,
                    block.len(),
                    self.at
                )));
            }
            put(image, offset.saturating_add(done), &block)?;
            done += block.len() as u64;
        }
        Ok(())
    }
}

/// Copies bytes into the image, which grows.
pub fn put(image: &mut Vec<u8>, offset: u64, bytes: &[u8]) -> Result<(), UnpackError> {
    let room = usize::try_from(offset).ok().and_then(|from| Some((from, from.checked_add(bytes.len())?)));
    let Some((from, end)) = room.filter(|(_, end)| *end <= MAX_UNPACKED) else {
        return Err(damaged(format!(
            "a segment at offset {offset} is beyond the {} MiB that are unpacked",
            MAX_UNPACKED >> 20
        )));
    };
    if image.len() < end {
        image.resize(end, 0);
    }
    if let Some(room) = image.get_mut(from..end) {
        room.copy_from_slice(bytes);
    }
    Ok(())
}

pub fn damaged(why: String) -> UnpackError {
    UnpackError::Damaged(why)
}

/// Unpacks an ELF; `None` if it is not packed with UPX.
pub fn unpack(bytes: Bytes<'_>) -> Option<Result<Unpacked, UnpackError>> {
    let headers = ElfHeaders::read(bytes)?;
    let size = bytes.kept().len() as u64;
    let tail = PackHeader::find(bytes, size.saturating_sub(TAIL), size);
    let tail = tail.filter(|header| header.valid || header.has_magic);
    let start = first_block(bytes, &headers, tail);
    let Some((start, original)) = start else {
        // A program can have the magic, as UPX itself has: only a valid header says that it is packed.
        let valid = tail.is_some_and(|header| header.valid && header.has_magic);
        return valid
            .then(|| Err(damaged("expected a block with its original header, found none".to_owned())));
    };
    let blocks = Blocks {
        bytes,
        endian: headers.endian,
        at: start,
        packed: Adler::default(),
        unpacked: Adler::default(),
        method: None,
        filter: 0,
        budget: Budget::default(),
    };
    Some(restore(blocks, &headers, &original, start, tail))
}

/// The offset of the first block, and the original headers that it holds.
fn first_block(
    bytes: Bytes<'_>,
    headers: &ElfHeaders,
    tail: Option<PackHeader>,
) -> Option<(u64, ElfHeaders)> {
    let behind_tail = tail.and_then(|header| {
        let offset = u64::from(bytes.u32(header.end(), headers.endian)?);
        Some(offset + INFORMATION / 2)
    });
    let behind_headers = headers.end.checked_add(INFORMATION)?;
    let mut budget = Budget::default();
    let mut tries = MAX_TRIED;
    let mut test = |at: u64| {
        let block = Block::read(bytes, at, headers.endian)?;
        if tries == 0 || !block.is_plausible() || block.unpacked < 84 || block.filter.id != 0 {
            return None;
        }
        let packed = bytes.get(at.checked_add(BLOCK)?, block.packed.into())?;
        tries -= 1;
        let original = if block.packed < block.unpacked {
            Method::of(block.method)?.exactly(packed, block.unpacked as usize, &mut budget).ok()?
        } else {
            packed.to_vec()
        };
        let original = ElfHeaders::read(Bytes::new(&original, original.len() as u64))?;
        (original.identity == headers.identity && original.loaded().next().is_some())
            .then_some((at, original))
    };
    if let Some(found) = test(behind_headers).or_else(|| test(behind_tail?)) {
        return Some(found);
    }
    // A shared library has its blocks behind what the dynamic linker reads. The headers are as large as now.
    let shared = headers.segments.iter().any(|segment| segment.dynamic);
    let wanted = u32::try_from(headers.end).ok().filter(|_| shared)?;
    let wanted = if headers.endian == Endian::Little { wanted.to_le_bytes() } else { wanted.to_be_bytes() };
    memchr::memmem::find_iter(bytes.kept(), &wanted)
        .take(MAX_FOUND)
        .map(|at| at as u64)
        .filter(|at| at % 4 == 0 && *at >= behind_headers)
        .find_map(test)
}

/// Restores the file from its blocks.
fn restore(
    mut blocks: Blocks<'_>,
    headers: &ElfHeaders,
    original: &ElfHeaders,
    start: u64,
    tail: Option<PackHeader>,
) -> Result<Unpacked, UnpackError> {
    let bytes = blocks.bytes;
    let mut image = Vec::new();
    let mut remarks = Vec::new();
    let is_library = headers.segments.iter().any(|segment| segment.dynamic);
    if is_library {
        shared_library::restore_segments(bytes, &mut blocks, headers, original, start, &mut image)?;
    } else {
        for segment in original.loaded() {
            blocks.extent(&mut image, segment.offset, segment.size)?;
        }
    }
    let stub = blocks.at.next_multiple_of(4);
    // The size of the file, from either header.
    let information = start.checked_sub(INFORMATION / 2).and_then(|at| bytes.u32(at + 4, headers.endian));
    let least =
        original.loaded().map(|segment| segment.offset.saturating_add(segment.size)).max().unwrap_or(0);
    let plausible = |size: &u64| *size >= least && *size <= MAX_UNPACKED as u64;
    let file_size = information.map(u64::from).filter(plausible);
    let file_size = file_size
        .or_else(|| tail.filter(|tail| tail.valid).map(|tail| tail.file_size.into()).filter(plausible));
    let gaps = gaps(original, file_size);
    match find_gaps(bytes, stub, headers.endian, &gaps) {
        Some(at) => {
            blocks.at = at;
            for gap in &gaps {
                match gap.size {
                    Some(size) => blocks.extent(&mut image, gap.offset, size)?,
                    None => {
                        let mut offset = gap.offset;
                        while Block::read(bytes, blocks.at, headers.endian)
                            .is_some_and(|block| block.unpacked > 0)
                        {
                            let block = blocks.next()?;
                            put(&mut image, offset, &block)?;
                            offset += block.len() as u64;
                        }
                    }
                }
            }
        }
        None => remarks.push("what is in no segment was not found".to_owned()),
    }
    if is_library && !shared_library::restore_start(bytes, headers, original, stub, &mut image) {
        remarks.push("the start of the library was not restored".to_owned());
    }
    // An overlay hides the header from the end of the file.
    let near = PackHeader::find(bytes, blocks.at, blocks.at.saturating_add(4 * BLOCK + 64));
    let header = near.filter(|header| header.valid).or(tail.filter(|header| header.valid));
    match header {
        None => remarks.push("its header is damaged or was removed".to_owned()),
        Some(header) if !header.has_magic => remarks.push("its header has another magic".to_owned()),
        Some(_) => {}
    }
    let whole = file_size.is_none_or(|size| size == image.len() as u64);
    if !whole {
        remarks.push(format!("expected {} bytes", file_size.unwrap_or(0)));
    }
    let sums = (blocks.packed.sum(), blocks.unpacked.sum());
    let exact = whole && header.is_some_and(|header| (header.packed_adler, header.unpacked_adler) == sums);
    if let Some(header) = header.filter(|_| !exact) {
        remarks.push(format!(
            "expected checksums {:08x} and {:08x}, found {:08x} and {:08x}",
            header.packed_adler, header.unpacked_adler, sums.0, sums.1
        ));
    }
    let method = blocks.method.ok_or_else(|| damaged("expected compressed blocks, found none".to_owned()))?;
    let mut how =
        How::new(method, header.map_or(bytes.size(), |header| header.end() + 4).min(bytes.size()), &image);
    how.release = release::of_elf(bytes, blocks.at);
    how.version = header.map(|header| header.version);
    how.filter = blocks.filter;
    how.exact = exact;
    how.remarks = remarks;
    Ok(Unpacked { image, how })
}

/// What is in no segment: behind a segment, up to the next one or to the end of the file.
#[derive(Clone, Copy, Debug)]
struct Gap {
    offset: u64,
    /// `None`: up to the last block.
    size: Option<u64>,
}

fn gaps(original: &ElfHeaders, file_size: Option<u64>) -> Vec<Gap> {
    let mut starts: Vec<u64> = original.loaded().map(|segment| segment.offset).collect();
    starts.sort_unstable();
    let gap = |segment: &Segment| {
        let end = segment.offset.saturating_add(segment.size);
        let next = starts.get(starts.partition_point(|start| *start < end)).copied();
        let size = match next.or(file_size) {
            Some(next) => Some(next.checked_sub(end).filter(|size| *size > 0)?),
            None => None,
        };
        Some(Gap { offset: end, size })
    };
    original.loaded().filter_map(gap).collect()
}

/// Where the blocks of the gaps begin, behind the stub: they have the sizes of the gaps, and an empty block ends them.
fn find_gaps(bytes: Bytes<'_>, stub: u64, endian: Endian, gaps: &[Gap]) -> Option<u64> {
    let mut steps = MAX_STEPS;
    let mut fits = |start: u64| {
        let mut at = start;
        for gap in gaps {
            let mut left = gap.size;
            while left != Some(0) {
                steps = steps.checked_sub(1)?;
                let block = Block::read(bytes, at, endian)?;
                if left.is_none() && block.unpacked == 0 && at > start {
                    break;
                }
                if !block.is_plausible() || block.filter.id != 0 {
                    return None;
                }
                left = match left {
                    Some(left) => Some(left.checked_sub(block.unpacked.into())?),
                    None => None,
                };
                at = at.checked_add(BLOCK)?.checked_add(block.packed.into())?;
            }
        }
        let end = bytes.u32(at, endian)?;
        (end == 0).then_some(start)
    };
    let end = bytes.kept().len() as u64;
    (stub..end).find_map(|at| fits(at))
}
