//! The byte pairs of code: those that are not of text or zeros. A file has the same ones whether its text is there or was
//! overwritten with zeros.

use super::byte_planes::BytePlanes;
use super::counts::BINS;
use super::levels::level_from_frequency;
use super::segments::SEGMENTS;
use crate::numeric::dot;
use std::sync::LazyLock;

/// Columns of the byte pairs, by the upper six bits of the second byte.
const SIDE: usize = 64;
/// Levels above 0 of the least code: an instruction or two have a few.
const LEAST: usize = 64;
/// Levels of noise differ by less than this share of their mean.
const NOISE: f32 = 0.1;

/// The square roots of the relative frequencies of a file's byte pairs of code: [`BINS`] numbers whose squares sum to 1. `None`
/// if it has no code to go by: too few pairs, or all equally frequent, as in noise, compressed and encrypted data.
pub fn code_pairs(planes: &BytePlanes) -> Option<Vec<f32>> {
    let is_code = &*IS_CODE;
    let mut found = vec![0.0; BINS];
    planes.pairs.mix_frequencies(&[1.0; SEGMENTS], &mut found);
    found.iter_mut().zip(is_code).for_each(|(value, is_code)| *value *= is_code);
    let mut levels: Vec<f32> = found.iter().map(|value| level_from_frequency(*value)).collect();
    let used = found.iter().filter(|value| **value > 0.0).count();
    let cells = dot(is_code, is_code).max(1.0);
    let mean = dot(&levels, is_code) / cells;
    levels.iter_mut().zip(is_code).for_each(|(level, is_code)| *level = (*level - mean) * is_code);
    let spread = (dot(&levels, &levels) / cells).sqrt();
    if used < LEAST || spread <= NOISE * mean {
        return None;
    }
    let sum = dot(&found, is_code);
    found.iter_mut().for_each(|value| *value = (*value / sum).sqrt());
    Some(found)
}

/// 1 for each cell that counts pairs of code, 0 for the others.
static IS_CODE: LazyLock<Vec<f32>> =
    LazyLock::new(|| (0..BINS).map(|cell| if is_text_pair(cell) { 0.0 } else { 1.0 }).collect());

/// Whether a cell of the byte pairs counts pairs of printable characters, or of such and zeros. Both bytes of a pair are in
/// groups of four; the characters from 0x20 to 0x7f are groups 8 to 31, and 0x7f is among them.
pub(super) fn is_text_pair(cell: usize) -> bool {
    let text = 0x20 / 4..0x80 / 4;
    let (first, second) = (cell / SIDE, cell % SIDE);
    match (text.contains(&first), text.contains(&second)) {
        (true, true) => true,
        (true, false) => second == 0,
        (false, true) => first == 0,
        (false, false) => first == 0 && second == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_zeros_and_noise_have_no_code() {
        let mut state = 1_u64;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        let random: Vec<u8> = (0..1 << 20).map(|_| noise()).collect();
        let text = b"Nothing but text, line by line.\n".repeat(9000);
        for bytes in [&random[..], &text, &[0; 100_000], b""] {
            assert!(code_pairs(&BytePlanes::of(bytes)).is_none(), "{} bytes", bytes.len());
        }
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let pairs = code_pairs(&BytePlanes::of(&own)).unwrap();
        assert!((pairs.iter().map(|root| root * root).sum::<f32>() - 1.0).abs() < 1e-4);
    }
}
