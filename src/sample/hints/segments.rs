//! The program headers of an ELF, for programs that have no sections: a packer removes them.

use crate::sample::bytes::{Bytes, Endian};

/// Segments that are looked at.
const MOST: u16 = 256;

/// One loaded segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub offset: u64,
    pub size: u64,
    pub memory: u64,
    pub write: bool,
    pub execute: bool,
}

/// Byte order and word size.
fn layout(bytes: Bytes<'_>) -> Option<(Endian, bool)> {
    let [class, data] = bytes.array(4)?;
    let endian = if data == 2 { Endian::Big } else { Endian::Little };
    Some((endian, class == 2))
}

/// Offset, size and number of the program headers.
fn table(bytes: Bytes<'_>) -> Option<(u64, u64, u16)> {
    let (endian, wide) = layout(bytes)?;
    let offset = if wide { bytes.u64(32, endian)? } else { bytes.u32(28, endian)?.into() };
    let (size, count) = if wide { (54, 56) } else { (42, 44) };
    Some((offset, bytes.u16(size, endian)?.into(), bytes.u16(count, endian)?))
}

/// Where the program headers end, and the byte order.
pub fn end_of_headers(bytes: Bytes<'_>) -> Option<(u64, Endian)> {
    let (offset, size, count) = table(bytes)?;
    Some((offset.checked_add(size.checked_mul(count.into())?)?, layout(bytes)?.0))
}

/// Whether there is a table of sections.
pub fn has_sections(bytes: Bytes<'_>) -> bool {
    layout(bytes).is_some_and(|(endian, wide)| bytes.u16(if wide { 60 } else { 48 }, endian) != Some(0))
}

/// The segments that the kernel loads.
pub fn loaded(bytes: Bytes<'_>) -> Vec<Segment> {
    let (Some((endian, wide)), Some((offset, size, count))) = (layout(bytes), table(bytes)) else {
        return Vec::new();
    };
    let segment = |index: u16| {
        let at = offset.checked_add(size.checked_mul(index.into())?)?;
        let word = |of_64: u64, of_32: u64| {
            let field = at.checked_add(if wide { of_64 } else { of_32 })?;
            if wide { bytes.u64(field, endian) } else { bytes.u32(field, endian).map(u64::from) }
        };
        let flags = bytes.u32(at.checked_add(if wide { 4 } else { 24 })?, endian)?;
        (bytes.u32(at, endian)? == 1).then_some(Segment {
            offset: word(8, 4)?,
            size: word(32, 16)?,
            memory: word(40, 20)?,
            write: flags & 2 != 0,
            execute: flags & 1 != 0,
        })
    };
    (0..count.min(MOST)).filter_map(segment).collect()
}
