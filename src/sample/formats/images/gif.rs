//! GIF (CompuServe, versions 87a and 89a): the logical screen and the blocks up to the first image.

use super::head::is_cut;
use crate::sample::bytes::{Bytes, Endian::Little};

/// Blocks and sub-blocks before the first image that are followed.
const MAX_BLOCKS: usize = 4096;

/// Whether valid blocks lead to the descriptor of an image.
pub fn is_gif(bytes: Bytes<'_>) -> bool {
    let head = bytes.kept();
    if !(head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a")) {
        return false;
    }
    let Some([flags]) = bytes.array(10) else { return false };
    let mut at = 13 + colours(flags);
    for _ in 0..MAX_BLOCKS {
        match bytes.array(at) {
            Some([0x2c]) => return is_image(bytes, at + 1),
            Some([0x21]) => match skip_extension(bytes, at + 1) {
                Some(after) => at = after,
                None => return is_cut(bytes) && at < head.len() as u64,
            },
            Some(_) => return false,
            None => return is_cut(bytes),
        }
    }
    false
}

/// The bytes of the table of colours that `flags` announce.
fn colours(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// The offset after an extension with its label at `at`; `None` if it is invalid or ends outside.
fn skip_extension(bytes: Bytes<'_>, at: u64) -> Option<u64> {
    let [label, first] = bytes.array(at)?;
    // The first sub-block of known extensions has a fixed size: graphic control, plain text, application.
    let valid = match label {
        0xf9 => first == 4,
        0x01 => first == 12,
        0xff => first == 11,
        _ => true,
    };
    if !valid {
        return None;
    }
    let mut at = at + 1;
    for _ in 0..MAX_BLOCKS {
        let [size] = bytes.array(at)?;
        at += 1 + u64::from(size);
        if size == 0 {
            return Some(at);
        }
    }
    None
}

/// Whether an image descriptor is at `at`, followed by the code size of its data.
fn is_image(bytes: Bytes<'_>, at: u64) -> bool {
    let Some([flags]) = bytes.array(at + 8) else { return is_cut(bytes) };
    let size = |offset| bytes.u16(at + offset, Little).is_some_and(|n| n > 0);
    let code_size = match bytes.array(at + 9 + colours(flags)) {
        Some([bits]) => (1..=11).contains(&bits),
        None => is_cut(bytes),
    };
    size(4) && size(6) && code_size
}
