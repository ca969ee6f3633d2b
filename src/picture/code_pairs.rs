//! The byte pairs of code: those that are not of text or zeros. A file has the same ones whether its text is there or was
//! overwritten with zeros.

use super::byte_planes::BytePlanes;
use super::counts::BINS;
use super::levels::frequency;
use super::segments::SEGMENTS;

/// Columns of the byte pairs, by the upper six bits of the second byte.
const SIDE: usize = 64;
/// Levels above 0 of the least code: an instruction or two have a few.
const LEAST: usize = 64;
/// Levels of noise differ by less than this share of their mean.
const NOISE: f32 = 0.1;

/// The square roots of the relative frequencies of a file's byte pairs of code: [`BINS`] numbers whose squares sum to 1. `None`
/// if it has no code to go by: too few pairs, or all equally frequent, as in noise, compressed and encrypted data.
pub fn code_pairs(planes: &BytePlanes) -> Option<Vec<f32>> {
    let mut levels = vec![0.0; BINS];
    planes.pairs.mix(&[1.0; SEGMENTS], &mut levels);
    let code: Vec<f32> =
        levels.iter().enumerate().filter(|(cell, _)| !is_text_pair(*cell)).map(|(_, level)| *level).collect();
    let used = code.iter().filter(|level| **level > 0.0).count();
    let mean = code.iter().sum::<f32>() / code.len().max(1) as f32;
    let spread =
        (code.iter().map(|level| (level - mean).powi(2)).sum::<f32>() / code.len().max(1) as f32).sqrt();
    if used < LEAST || spread <= NOISE * mean {
        return None;
    }
    for (cell, value) in levels.iter_mut().enumerate() {
        *value = if is_text_pair(cell) { 0.0 } else { frequency(*value) };
    }
    let sum: f32 = levels.iter().sum();
    levels.iter_mut().for_each(|value| *value = (*value / sum).sqrt());
    Some(levels)
}

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
