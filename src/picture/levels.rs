//! Levels: how often each of [`BINS`] things occurs in each of [`SEGMENTS`] equal parts of a file, on a
//! logarithmic scale, a byte each. Most things do not occur at all, so only the others are kept: a bit
//! says which.

use super::byte_planes::SEGMENTS;
use super::compact::Compact;
use super::counts::{BINS, Counts, Row};
use crate::numeric::log2;

/// Bits in a word of marks.
const WORD: usize = 64;
const WORDS: usize = BINS / WORD;
/// The scale spans this many octaves above one part in 2^16.
const OCTAVES: f32 = 16.0;
const SCALE: f32 = 65536.0;

/// The levels of all parts of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// `[SEGMENTS][WORDS]`: which bins have a level above 0.
    marks: Box<[u64]>,
    /// Those levels, in order, on the scale of [`frequency_from_level`].
    values: Box<[u8]>,
}

impl Levels {
    /// The levels of the parts that `weights` selects, taken together (one weight a part, not all zero):
    /// 0 to 1 on the logarithmic scale, [`BINS`] of them.
    pub fn mix(&self, weights: &[f32; SEGMENTS], out: &mut [f32]) {
        let table = frequencies();
        out.fill(0.0);
        let total: f32 = weights.iter().sum();
        let mut later = &self.values[..];
        for (marks, weight) in self.marks.chunks_exact(WORDS).zip(weights) {
            let kept: u32 = marks.iter().map(|word| word.count_ones()).sum();
            let values;
            (values, later) = later.split_at(kept as usize);
            if *weight <= 0.0 {
                continue;
            }
            let share = weight / total;
            let mut values = values.iter();
            for (word, out) in marks.iter().zip(out.chunks_exact_mut(WORD)) {
                let mut left = *word;
                while left != 0 {
                    let Some(level) = values.next() else { break };
                    out[left.trailing_zeros() as usize % WORD] += share * table[*level as usize];
                    left &= left - 1;
                }
            }
        }
        for value in out.iter_mut().filter(|value| **value > 0.0) {
            *value = level_from_frequency(*value);
        }
    }

    /// Appends marks and values.
    pub fn put(&self, out: &mut Vec<u8>) {
        for word in &self.marks {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.values);
    }

    /// Takes what [`Levels::put`] wrote from the front of `bytes`; `None` if there is not enough.
    pub fn take(bytes: &mut &[u8]) -> Option<Self> {
        let marks = bytes.split_off(..SEGMENTS * WORDS * size_of::<u64>())?;
        let (words, _) = marks.as_chunks();
        let marks: Box<[u64]> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let kept: u32 = marks.iter().map(|word| word.count_ones()).sum();
        let values = bytes.split_off(..kept as usize)?;
        Some(Self { marks, values: values.into() })
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.marks.len() * size_of::<u64>() + self.values.len()
    }
}

/// 0 to 1 for a share of all that was counted.
#[inline(always)]
fn level_from_frequency(frequency: f32) -> f32 {
    log2(1.0 + frequency * SCALE) / OCTAVES
}

/// The reverse, from the byte that is kept.
fn frequency_from_level(level: u8) -> f32 {
    ((f32::from(level) / 255.0 * OCTAVES).exp2() - 1.0) / SCALE
}

fn frequencies() -> &'static [f32; 256] {
    static TABLE: std::sync::OnceLock<[f32; 256]> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|level| frequency_from_level(level as u8)))
}

/// Makes [`Levels`], a part at a time.
#[derive(Debug)]
pub struct Builder {
    marks: Vec<u64>,
    values: Vec<u8>,
}

impl Builder {
    /// Without any part yet.
    pub fn new() -> Self {
        Self { marks: Vec::with_capacity(SEGMENTS * WORDS), values: Vec::new() }
    }

    /// The next part: how often each thing occurred in it, of `total`. The counts begin again.
    pub fn close(&mut self, counts: &mut Counts, total: u64) {
        let one = 1.0 / total.max(1) as f32;
        let exact = |count: u32| (level_from_frequency(count as f32 * one) * 255.0 + 0.5) as u8;
        // Most counts are small, and many the same.
        let known: [u8; 64] = std::array::from_fn(|count| exact(count as u32));
        counts.drain(|row| {
            let row = match row {
                Row::Narrow(counts) => Compact::of_narrow(counts, &known, exact),
                Row::Wide(counts) => {
                    let level =
                        |count: u32| known.get(count as usize).copied().unwrap_or_else(|| exact(count));
                    Compact::of(counts.iter().copied(), level)
                }
            };
            self.values.extend_from_slice(row.levels());
            self.marks.push(row.marks);
        });
    }

    /// All parts; those that never came hold nothing. Begins again.
    pub fn finish(&mut self) -> Levels {
        self.marks.resize(SEGMENTS * WORDS, 0);
        let levels = Levels { marks: self.marks.as_slice().into(), values: self.values.as_slice().into() };
        self.marks.clear();
        self.values.clear();
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_the_weighted_mean_of_the_parts_frequencies() {
        let mut builder = Builder::new();
        let mut parts = Vec::new();
        for part in 0..SEGMENTS {
            let mut counts = [0_u32; BINS];
            for (bin, count) in counts.iter_mut().enumerate() {
                *count = if bin % (part + 2) == 0 { (bin as u32 * 7 + part as u32) % 300 } else { 0 };
            }
            let total = counts.iter().map(|c| u64::from(*c)).sum();
            let mut counted = Counts::new();
            for (bin, count) in counts.iter().enumerate() {
                for _ in 0..*count {
                    counted.room(1).1.add(bin as u16);
                }
            }
            builder.close(&mut counted, total);
            parts.push((counts, total));
        }
        let levels = builder.finish();
        let weights: [f32; SEGMENTS] = [0.0, 0.5, 1.0, 1.0, 0.25, 0.0, 0.0, 1.0];
        let mut out = vec![9.0; BINS];
        levels.mix(&weights, &mut out);
        let sum = f64::from(weights.iter().sum::<f32>());
        for (bin, level) in out.iter().enumerate() {
            let mean: f64 = parts
                .iter()
                .zip(weights)
                .map(|((counts, total), w)| f64::from(w) / sum * f64::from(counts[bin]) / *total as f64)
                .sum();
            let want = (1.0 + mean * 65536.0).log2() / 16.0;
            assert!((f64::from(*level) - want).abs() < 0.003, "{bin}: {level} {want}");
        }
        assert!(levels.memory() > 0);
    }

    #[test]
    fn a_file_that_ended_early_has_levels_too() {
        let mut out = vec![1.0; BINS];
        Builder::new().finish().mix(&[1.0; SEGMENTS], &mut out);
        assert!(out.iter().all(|level| *level == 0.0));
    }
}
