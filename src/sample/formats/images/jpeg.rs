//! JPEG (ITU-T T.81): the chain of segments up to the header of the first frame.

use super::head::is_cut;
use crate::sample::bytes::{Bytes, Endian::Big};

/// Segments before the frame header that are followed.
const MAX_SEGMENTS: usize = 1024;

/// Whether the file is a chain of segments with a valid frame header.
pub fn is_jpeg(bytes: Bytes<'_>) -> bool {
    if !bytes.kept().starts_with(&[0xff, 0xd8, 0xff]) {
        return false;
    }
    let mut at = 2;
    for _ in 0..MAX_SEGMENTS {
        let Some([first, mut marker]) = bytes.array(at) else { return is_cut(bytes) };
        if first != 0xff {
            return false;
        }
        // Any number of 0xff may fill the space before a marker (B.1.1.2).
        while marker == 0xff {
            at += 1;
            let Some([_, next]) = bytes.array(at) else { return is_cut(bytes) };
            marker = next;
        }
        at += 2;
        let Some(len) = bytes.u16(at, Big) else { return is_cut(bytes) };
        match marker {
            // Frame headers; not the tables DHT, JPG and DAC, whose markers lie between them.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                return is_frame_header(bytes, at, len);
            }
            // Tables, restart interval, application data, comments.
            0xc4 | 0xcc | 0xdb | 0xdd | 0xde | 0xe0..=0xef | 0xfe if len >= 2 => at += u64::from(len),
            _ => return false,
        }
    }
    false
}

/// B.2.2: length, precision, lines, samples a line, and three bytes for each component.
fn is_frame_header(bytes: Bytes<'_>, at: u64, len: u16) -> bool {
    let Some([precision, _, _, width_high, width_low, components]) = bytes.array(at + 2) else {
        return is_cut(bytes);
    };
    (2..=16).contains(&precision)
        && [width_high, width_low] != [0, 0]
        && (1..=4).contains(&components)
        && len == 8 + 3 * u16::from(components)
}
