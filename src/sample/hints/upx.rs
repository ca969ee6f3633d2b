//! UPX: the header that its decompressor reads, checked by its fields and its check sum.
//!
//! Written after the format that UPX documents in `src/packhead.cpp` and `src/stub/src/include/linux.h` of its source.

use super::layout::{Format, Layout, occurrences};
use super::segments;
use crate::sample::unpack::magic;

/// A PE has the header before its first section's bytes; ELF and Mach-O at the end of the file.
const HEAD: usize = 8 << 10;
const TAIL: usize = 4 << 10;
/// Its size, from UPX 1.20 on.
const SIZE: usize = 32;

/// Where UPX's header is.
pub fn find(layout: &Layout<'_>) -> Option<String> {
    loader_information(layout).or_else(|| pack_header(layout))
}

/// A valid header with the magic, near the start of a PE or the end of another program.
fn pack_header(layout: &Layout<'_>) -> Option<String> {
    let kept = layout.bytes.kept();
    let (begin, part) = match layout.format {
        Format::Pe => (0, kept.get(..HEAD).unwrap_or(kept)),
        Format::Elf | Format::MachO => {
            let begin = kept.len().saturating_sub(TAIL);
            (begin, kept.get(begin..)?)
        }
    };
    let at = occurrences(part, &magic()).find(|at| part.get(*at..).is_some_and(is_header))?;
    Some(format!("its header at offset {}", begin + at))
}

/// Version, format, method and level in their ranges, and the sum of all bytes but the magic.
fn is_header(header: &[u8]) -> bool {
    let Some(header) = header.get(..SIZE) else { return false };
    let (Some([version, format, method, level]), Some((checksum, rest))) =
        (header.get(4..8).and_then(|part| part.first_chunk()), header.split_last())
    else {
        return false;
    };
    let sum: u32 = rest.iter().skip(4).map(|byte| u32::from(*byte)).sum();
    (8..=20).contains(version)
        && *format > 0
        && (1..=16).contains(method)
        && *level <= 10
        && u32::from(*checksum) == sum % 251
}

/// The structure right after the program headers of an ELF: check sum, magic, size of the loader, version, format;
/// then the sizes of the program. The kernel runs the program without the magic too, so the rest decides.
fn loader_information(layout: &Layout<'_>) -> Option<String> {
    if layout.format != Format::Elf {
        return None;
    }
    let (at, endian) = segments::end_of_headers(layout.bytes)?;
    let [version, format] = layout.bytes.array(at.checked_add(10)?)?;
    let number = |offset| layout.bytes.u32(at.checked_add(offset)?, endian);
    let (identity, size, block) = (number(12)?, number(16)?, number(20)?);
    let valid = (11..=20).contains(&version) && (10..=50).contains(&format) && identity == 0;
    let same_magic = layout.bytes.array::<4>(at.checked_add(4)?)? == magic();
    let whole = size > 0 && block > 0 && block <= size && u64::from(size) > layout.bytes.size() / 8;
    // The first block: its size unpacked and packed, and the method.
    let (unpacked, packed, [method]) = (number(24)?, number(28)?, layout.bytes.array(at.checked_add(32)?)?);
    let first = packed > 0 && packed <= unpacked && unpacked <= size && (1..=16).contains(&method);
    match (valid, same_magic) {
        (true, true) => Some(format!("its loader's header at offset {at}")),
        // Mirai and others write another magic, and sometimes other sizes.
        (true, false) if whole && first && packed_tail(layout) => {
            Some(format!("its loader's header at offset {at}, with another magic"))
        }
        _ => None,
    }
}

/// Whether the file ends with a valid header of any magic.
fn packed_tail(layout: &Layout<'_>) -> bool {
    let kept = layout.bytes.kept();
    let tail = kept.get(kept.len().saturating_sub(SIZE + 64)..).unwrap_or(kept);
    tail.windows(SIZE).any(is_header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_valid_by_its_sum() {
        let mut header = [0_u8; SIZE];
        header[..8].copy_from_slice(&[b'?', b'?', b'?', b'?', 13, 36, 8, 7]);
        header[20] = 200;
        header[31] = ((13 + 36 + 8 + 7 + 200) % 251) as u8;
        assert!(is_header(&header));
        header[20] = 201;
        assert!(!is_header(&header) && !is_header(&header[..31]) && !is_header(&[b'U'; SIZE]));
        assert_eq!(magic(), [b'U', b'P', b'X', b'!']);
    }
}
