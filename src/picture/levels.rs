//! Levels: how often each of [`BINS`] values occurs in each of [`SEGMENTS`] equal segments of a file, on a
//! logarithmic scale with one byte each. Most values do not occur at all, so only the levels above 0 are stored,
//! with a bit mask of their bins.

use super::compact::CompactRow;
use super::counts::{BINS, Counts, Row};
use super::segments::SEGMENTS;
use crate::numeric::log2;

/// Bits in a word of marks.
const WORD: usize = 64;
const WORDS: usize = BINS / WORD;
/// The scale spans this many octaves, starting at a frequency of 2^-16.
const OCTAVES: f32 = 16.0;
const SCALE: f32 = 65536.0;

/// The levels of all segments of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// `[SEGMENTS][WORDS]`: which bins have a level above 0.
    marks: Box<[u64]>,
    /// Those levels, in order, on the scale of [`frequency_from_level`].
    values: Box<[u8]>,
}

impl Levels {
    /// Writes the levels of the weighted mean of the segments to `out`: [`BINS`] values from 0 to 1 on the
    /// logarithmic scale. `weights` has one weight for each segment, not all zero.
    pub fn mix(&self, weights: &[f32; SEGMENTS], out: &mut [f32]) {
        self.mix_frequencies(weights, out);
        for value in out.iter_mut().filter(|value| **value > 0.0) {
            *value = level_from_frequency(*value);
        }
    }

    /// The same as relative frequencies.
    pub fn mix_frequencies(&self, weights: &[f32; SEGMENTS], out: &mut [f32]) {
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
    }

    /// Appends marks and values to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        for word in &self.marks {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.values);
    }

    /// Reads what [`Levels::write`] wrote and advances `bytes` past it; `None` if there are too few bytes.
    pub fn read(bytes: &mut &[u8]) -> Option<Self> {
        let marks = bytes.split_off(..SEGMENTS * WORDS * size_of::<u64>())?;
        let (words, _) = marks.as_chunks();
        let marks: Box<[u64]> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let kept: u32 = marks.iter().map(|word| word.count_ones()).sum();
        let values = bytes.split_off(..kept as usize)?;
        Some(Self { marks, values: values.into() })
    }
}

/// The level, 0 to 1, of a relative frequency.
#[inline(always)]
pub fn level_from_frequency(frequency: f32) -> f32 {
    log2(1.0 + frequency * SCALE) / OCTAVES
}

/// The relative frequency of a level, 0 to 1.
pub fn frequency(level: f32) -> f32 {
    ((level * OCTAVES).exp2() - 1.0) / SCALE
}

/// The relative frequency of a stored level.
fn frequency_from_level(level: u8) -> f32 {
    frequency(f32::from(level) / 255.0)
}

fn frequencies() -> &'static [f32; 256] {
    static TABLE: std::sync::OnceLock<[f32; 256]> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|level| frequency_from_level(level as u8)))
}

/// Builds [`Levels`], a segment at a time.
#[derive(Debug)]
pub struct Builder {
    marks: Vec<u64>,
    values: Vec<u8>,
}

impl Builder {
    /// A builder without segments.
    pub fn new() -> Self {
        Self { marks: Vec::with_capacity(SEGMENTS * WORDS), values: Vec::new() }
    }

    /// Adds the next segment, from counts relative to `total`, and resets the counts.
    pub fn close_segment(&mut self, counts: &mut Counts, total: u64) {
        let one = 1.0 / total.max(1) as f32;
        let exact = |count: u32| (level_from_frequency(count as f32 * one) * 255.0 + 0.5) as u8;
        // Most counts are small and repeat, so the levels of small counts are computed once.
        let known: [u8; 64] = std::array::from_fn(|count| exact(count as u32));
        counts.drain(|row| {
            let row = match row {
                Row::Narrow(counts) => CompactRow::from_narrow(counts, &known, exact),
                Row::Wide(counts) => {
                    let level =
                        |count: u32| known.get(count as usize).copied().unwrap_or_else(|| exact(count));
                    CompactRow::from_counts(counts.iter().copied(), level)
                }
            };
            self.values.extend_from_slice(row.levels());
            self.marks.push(row.marks);
        });
    }

    /// The levels of all segments; missing segments are empty. Resets the builder.
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
    fn a_mix_is_the_weighted_mean_of_the_segments() {
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
                    counted.reserve(1).1.add(bin as u16);
                }
            }
            builder.close_segment(&mut counted, total);
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
        assert!(!levels.values.is_empty());
    }

    #[test]
    fn missing_segments_are_empty() {
        let mut out = vec![1.0; BINS];
        Builder::new().finish().mix(&[1.0; SEGMENTS], &mut out);
        assert!(out.iter().all(|level| *level == 0.0));
    }
}
