//! Python programs in one file: PyInstaller, py2exe and Nuitka.

use super::layout::{Layout, last_occurrences, occurrences, resource_name};
use crate::sample::bytes::Endian;

/// The size of PyInstaller's cookie: that of 2.0, and that of 2.1 and later with the name of Python's library.
const OLD_COOKIE: u64 = 24;
/// Less than any payload with an interpreter.
const SMALLEST_PAYLOAD: usize = 64 << 10;
/// Blocks of zstd that are looked at.
const BLOCKS: usize = 8;
/// The largest block of zstd.
const LARGEST_BLOCK: usize = 128 << 10;

/// PyInstaller: the cookie behind its archive, whose lengths must fit into the file. It follows the program, or is
/// in a section of its own, or before the signature. The boot loader has the magic too, but no lengths behind it.
pub fn pyinstaller(layout: &Layout<'_>) -> Option<String> {
    let kept = layout.bytes.kept();
    let at = last_occurrences(kept, b"MEI\x0c\x0b\x0a\x0b\x0e").find(|at| is_cookie(layout, *at as u64))?;
    Some(format!("archive cookie at offset {at}"))
}

fn is_cookie(layout: &Layout<'_>, at: u64) -> bool {
    let number = |field| layout.bytes.u32(at.checked_add(field)?, Endian::Big);
    let (Some(length), Some(contents), Some(contents_length), Some(python)) =
        (number(8), number(12), number(16), number(20))
    else {
        return false;
    };
    // 27 for Python 2.7, 311 for 3.11.
    let version = (15..=40).contains(&python) || (200..=499).contains(&python);
    u64::from(length) >= OLD_COOKIE
        && u64::from(length) <= at + 4096
        && contents_length > 0
        && contents.checked_add(contents_length).is_some_and(|end| end <= length)
        && version
}

/// py2exe: a resource of the type PYTHONSCRIPT, and the tag at the start of it.
pub fn py2exe(layout: &Layout<'_>) -> Option<String> {
    let (offset, resources) = layout.resources()?;
    let at = occurrences(resources, &resource_name("PYTHONSCRIPT")).next()?;
    occurrences(resources, &0x7856_3412_u32.to_le_bytes()).next()?;
    Some(format!("resource PYTHONSCRIPT, named at offset {}", offset + at as u64))
}

/// Nuitka in one file: its payload, packed with zstd, as data or a resource, or appended, where the last eight bytes say
/// its place.
pub fn nuitka(layout: &Layout<'_>) -> Option<String> {
    let (appended, overlay) = layout.appended();
    let at = if is_payload(overlay) { Some(appended) } else { named_payload(layout) };
    let in_data = |(offset, bytes): (u64, &[u8])| {
        let is_one = |at: &usize| at.is_multiple_of(4) && bytes.get(*at..).is_some_and(is_payload);
        let at = occurrences(bytes, MAGIC).find(is_one)?;
        Some(offset + at as u64)
    };
    let at = at.or_else(|| layout.data().find_map(in_data))?;
    Some(format!("payload at offset {at}"))
}

/// The payload's offset, or its size, in the last eight bytes.
fn named_payload(layout: &Layout<'_>) -> Option<u64> {
    let end = layout.bytes.size().checked_sub(8)?;
    let value = layout.bytes.u64(end, Endian::Little)?;
    [Some(value), end.checked_sub(value)].into_iter().flatten().find(|at| is_payload(layout.bytes.from(*at)))
}

/// What a payload that is packed begins with.
const MAGIC: &[u8] = b"KAY";

/// Whether a payload begins here: the magic, and a frame of zstd whose first blocks follow each other. A program that looks for
/// payloads has the magic too. RFC 8878, 3.1.1.
fn is_payload(bytes: &[u8]) -> bool {
    let frame = bytes.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(b"\x28\xb5\x2f\xfd"));
    let Some((descriptor, rest)) = frame.and_then(<[u8]>::split_first) else { return false };
    if rest.len() < SMALLEST_PAYLOAD || descriptor & 0x08 != 0 {
        return false;
    }
    let single = descriptor & 0x20 != 0;
    let size = match descriptor >> 6 {
        0 => usize::from(single),
        n => 1 << n,
    };
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or(0);
    let mut at = usize::from(!single) + size + dictionary;
    for _ in 0..BLOCKS {
        let Some([a, b, c]) = rest.get(at..at + 3) else { return at <= rest.len() };
        let header = u32::from_le_bytes([*a, *b, *c, 0]);
        let (last, kind, length) = (header & 1 == 1, (header >> 1) & 3, (header >> 3) as usize);
        if kind == 3 || length > LARGEST_BLOCK {
            return false;
        }
        if last {
            break;
        }
        // A block of one repeated byte holds that byte alone.
        at += 3 + if kind == 1 { 1 } else { length };
    }
    true
}
