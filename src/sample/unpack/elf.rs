//! An ELF that is packed with UPX: the file as it was, byte for byte.
//!
//! Behind the program headers are the loader's information (12 bytes, with the magic), the program's (12 bytes: 0, the
//! size of the file, the size of a block) and then blocks. The first block is the original header with the program
//! headers; the next ones are the segments, in the order of the program headers. Behind the stub are the blocks of what
//! is in no segment, an empty block, and the header that `pack_header` reads. The format for i386 that starts the program
//! with `execve` has the whole file in its blocks.
//!
//! The stub reads the blocks, so they are right even where the magic and both headers were overwritten.

use super::budget::MAX_UNPACKED;
use super::elf_blocks::{BLOCK, Block, Blocks, damaged, put};
use super::elf_headers::{ElfHeaders, Segment};
use super::pack_header::PackHeader;
use super::release;
use super::shared_library;
use super::unpacked::{How, UnpackError, Unpacked};
use crate::sample::bytes::{Bytes, Endian};
use std::ops::RangeInclusive;

/// What is between the program headers and the first block.
const INFORMATION: u64 = 24;
/// Bytes at the end of the file where the header of UPX is searched.
const TAIL: u64 = 4 << 10;
/// The same behind the last block: up to two pages of zeros are before it.
const BEHIND: u64 = 9 << 10;
/// Sizes of the first block: the headers, or a part of the file.
const FIRST_BLOCK: RangeInclusive<u32> = 84..=1 << 20;
/// Blocks that are tried as the first one.
const MAX_TRIED: usize = 64;
/// Places that are looked at for the first one.
const MAX_FOUND: usize = 4096;
/// Headers of further blocks that are looked at to find those behind the stub.
const MAX_STEPS: usize = 1 << 20;

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
    let blocks = Blocks::new(bytes, headers.layout.endian, start);
    Some(restore(blocks, &headers, &original, start, tail))
}

/// The offset of the first block, and the original headers that it holds.
fn first_block(
    bytes: Bytes<'_>,
    headers: &ElfHeaders,
    tail: Option<PackHeader>,
) -> Option<(u64, ElfHeaders)> {
    let behind_tail = tail.and_then(|header| {
        let offset = u64::from(bytes.u32(header.end(), headers.layout.endian)?);
        Some(offset + INFORMATION / 2)
    });
    let behind_headers = headers.end.checked_add(INFORMATION)?;
    let mut tries = MAX_TRIED;
    let mut test = |at: u64| {
        let block = Block::read(bytes, at, headers.layout.endian)?;
        if !block.is_plausible() || !FIRST_BLOCK.contains(&block.unpacked) {
            return None;
        }
        tries = tries.checked_sub(1)?;
        let original = Blocks::new(bytes, headers.layout.endian, at).next().ok()?;
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
    let wanted =
        if headers.layout.endian == Endian::Little { wanted.to_le_bytes() } else { wanted.to_be_bytes() };
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
    // The size of the file, from either header.
    let information =
        start.checked_sub(INFORMATION / 2).and_then(|at| bytes.u32(at + 4, headers.layout.endian));
    let least =
        original.loaded().map(|segment| segment.offset.saturating_add(segment.size)).max().unwrap_or(0);
    let plausible = |size: &u64| *size >= least && *size <= MAX_UNPACKED as u64;
    let file_size = information
        .map(u64::from)
        .filter(plausible)
        .or_else(|| tail.filter(|tail| tail.valid).map(|tail| tail.file_size.into()).filter(plausible));
    let has_whole_file = !is_library
        && Block::read(bytes, start, headers.layout.endian)
            .is_some_and(|block| u64::from(block.unpacked) > original.end);
    if has_whole_file {
        to_the_last(&mut blocks, &mut image, 0)?;
    } else {
        if is_library {
            shared_library::restore_segments(bytes, &mut blocks, headers, original, start, &mut image)?;
        } else {
            for segment in original.loaded() {
                blocks.extent(&mut image, segment.offset, segment.size)?;
            }
        }
        let stub = blocks.at.next_multiple_of(4);
        if !restore_gaps(&mut blocks, stub, &gaps(original, file_size), &mut image)? {
            remarks.push("what is in no segment was not found".to_owned());
        }
        if is_library && !shared_library::restore_start(bytes, headers, original, stub, &mut image) {
            remarks.push("the start of the library was not restored".to_owned());
        }
    }
    if let Some(size) = file_size.filter(|size| *size != image.len() as u64) {
        remarks.push(format!("expected {size} bytes"));
    }
    finish(&blocks, image, tail, remarks)
}

/// Compares the checksums and says how the program was packed. `tail`: the header at the end of the file; `remarks`: what
/// was not restored.
fn finish(
    blocks: &Blocks<'_>,
    image: Vec<u8>,
    tail: Option<PackHeader>,
    mut remarks: Vec<String>,
) -> Result<Unpacked, UnpackError> {
    let bytes = blocks.bytes;
    let method = blocks.method.ok_or_else(|| damaged("expected compressed blocks, found none".to_owned()))?;
    // An overlay hides the header from the end of the file.
    let near = PackHeader::find(bytes, blocks.at, blocks.at.saturating_add(BEHIND));
    let header = near.filter(|header| header.valid).or(tail.filter(|header| header.valid));
    let end = header.map_or(bytes.size(), |header| header.end() + 4).min(bytes.size());
    let mut how = How::new(method, end, &image);
    how.release = release::of_elf(bytes, blocks.at);
    how.version = header.map(|header| header.version);
    how.filter = blocks.filter;
    let sums = blocks.sums();
    how.exact = remarks.is_empty()
        && header.is_some_and(|header| (header.packed_adler, header.unpacked_adler) == sums);
    match header {
        None => remarks.push("its header is damaged or was removed".to_owned()),
        Some(header) if !header.has_magic => remarks.push("its header has another magic".to_owned()),
        Some(_) => {}
    }
    if let Some(header) = header.filter(|_| !how.exact) {
        remarks.push(format!(
            "expected checksums {:08x} and {:08x}, found {:08x} and {:08x}",
            header.packed_adler, header.unpacked_adler, sums.0, sums.1
        ));
    }
    how.remarks = remarks;
    Ok(Unpacked { image, how })
}

/// Decompresses all blocks up to the empty one.
fn to_the_last(blocks: &mut Blocks<'_>, image: &mut Vec<u8>, mut offset: u64) -> Result<(), UnpackError> {
    while Block::read(blocks.bytes, blocks.at, blocks.endian).is_some_and(|block| block.unpacked > 0) {
        let block = blocks.next()?;
        put(image, offset, &block)?;
        offset += block.len() as u64;
    }
    Ok(())
}

/// Restores what is in no segment, from the blocks behind the stub; false if they are not found.
fn restore_gaps(
    blocks: &mut Blocks<'_>,
    stub: u64,
    gaps: &[Gap],
    image: &mut Vec<u8>,
) -> Result<bool, UnpackError> {
    let Some(at) = find_gaps(blocks.bytes, stub, blocks.endian, gaps) else { return Ok(false) };
    blocks.at = at;
    for gap in gaps {
        match gap.size {
            Some(size) => blocks.extent(image, gap.offset, size)?,
            None => to_the_last(blocks, image, gap.offset)?,
        }
    }
    Ok(true)
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
    let fits = |start: u64| {
        let mut at = start;
        for gap in gaps {
            let mut left = gap.size;
            while left != Some(0) {
                if at > start {
                    steps = steps.checked_sub(1)?;
                }
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
    (stub..end).find_map(fits)
}
