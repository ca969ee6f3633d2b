//! Large cells: the statistics of cells of more than 64 bytes, one cell at a time, from a histogram.

use super::cells::{CELLS, LAYOUT_PLANES, Statistics, cell_range, is_text};
use crate::numeric::wide;
use pulp::NullaryFnOnce;

/// Computes the statistics of a file's cells from its chunks, in order.
#[derive(Debug)]
pub struct LargeCells {
    size: u64,
    done: Vec<Statistics>,
    /// The offset of the next byte, and where its cell ends.
    at: u64,
    cell_end: u64,
    scales: Scales,
    cell: Cell,
}

impl LargeCells {
    /// For a file of `size` bytes.
    pub fn new(size: u64) -> Self {
        let scales = Scales::of(size);
        let counts = if scales.least < u64::from(u8::MAX) {
            Counts::Narrow(Box::new([0; SLOTS]))
        } else {
            Counts::Wide(Box::new([0; SLOTS]))
        };
        let cell = Cell { bytes: 0, total: 0, printable: 0, zeros: 0, counts };
        let done = Vec::with_capacity(CELLS);
        Self { size, done, at: 0, cell_end: cell_range(0, size).end, scales, cell }
    }

    /// Adds the next bytes of the file, up to its size.
    pub fn push(&mut self, bytes: &[u8]) {
        for mut block in bytes.chunks(BLOCK) {
            let mut slots = [0; BLOCK];
            wide(ChooseSlots { bytes: block, slots: &mut slots });
            let mut slots = &slots[..];
            while !block.is_empty() && self.done.len() < CELLS {
                let until = usize::try_from(self.cell_end - self.at).unwrap_or(usize::MAX);
                let n = block.len().min(until);
                wide(CountBytes { bytes: &block[..n], slots: &slots[..n], cell: &mut self.cell });
                self.at += n as u64;
                (block, slots) = (&block[n..], &slots[n..]);
                if n == until {
                    self.done.push(self.cell.finish(&self.scales));
                    self.cell_end = cell_range(self.done.len(), self.size).end;
                }
            }
        }
    }

    /// The statistics of all complete cells.
    pub fn finish(self) -> Vec<Statistics> {
        self.done
    }
}

/// What the statistics of all cells of `n` bytes share.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// 1 / n.
    one: f64,
    /// log₂ n.
    log: f64,
    /// 255 / the highest entropy that n bytes can have.
    entropy: f64,
}

impl Scale {
    fn of(n: u64) -> Self {
        let log = (n.max(2) as f64).log2();
        Self { one: 1.0 / n.max(1) as f64, log, entropy: 255.0 / log.min(8.0) }
    }
}

/// The cells of a file have one of two sizes: `least` bytes or one more.
#[derive(Debug)]
struct Scales {
    least: u64,
    of: [Scale; 2],
}

impl Scales {
    fn of(size: u64) -> Self {
        let least = (size / CELLS as u64).max(1);
        Self { least, of: [Scale::of(least), Scale::of(least + 1)] }
    }
}

/// Bytes processed together.
const BLOCK: usize = 1024;
/// Slots for zeros, behind those of the other values.
const ZERO_SLOTS: usize = 64;
/// Slots of a histogram.
const SLOTS: usize = 256 + ZERO_SLOTS;

/// Chooses the slot in which each byte is counted. Files are full of zeros, and increments of a single slot would
/// wait for each other, so zeros are spread over several slots.
struct ChooseSlots<'a> {
    bytes: &'a [u8],
    slots: &'a mut [u16; BLOCK],
}

impl NullaryFnOnce for ChooseSlots<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (slot, (i, byte)) in self.slots.iter_mut().zip(self.bytes.iter().enumerate()) {
            *slot = if *byte == 0 { 256 + (i % ZERO_SLOTS) as u16 } else { u16::from(*byte) };
        }
    }
}

/// The counts of the current cell.
#[derive(Debug)]
struct Cell {
    bytes: u64,
    total: u64,
    printable: u64,
    zeros: u64,
    counts: Counts,
}

/// How often each value other than zero occurs, followed by the slots for zeros.
#[derive(Debug)]
enum Counts {
    /// For cells of at most 255 bytes, where reading the histogram takes longer than counting.
    Narrow(Box<[u8; SLOTS]>),
    Wide(Box<[u32; SLOTS]>),
}

impl Cell {
    /// Returns the statistics of the cell and resets the counts.
    fn finish(&mut self, scales: &Scales) -> Statistics {
        let term = |count: u64| match TERMS.get(count as usize) {
            Some(term) => f64::from(*term) / TERM_UNIT,
            None => count as f64 * (count as f64).log2(),
        };
        let mut terms = term(self.zeros);
        match &mut self.counts {
            Counts::Narrow(counts) => {
                counts[0] = 0;
                terms += narrow_terms(counts.first_chunk().unwrap_or(&[0; 256])) as f64 / TERM_UNIT;
                **counts = [0; SLOTS];
            }
            Counts::Wide(counts) => {
                let table = &*TERMS;
                let mut sum = 0_u64;
                for count in &counts[1..256] {
                    match table.get(*count as usize) {
                        Some(term) => sum += u64::from(*term),
                        None => terms += f64::from(*count) * f64::from(*count).log2(),
                    }
                }
                terms += sum as f64 / TERM_UNIT;
                **counts = [0; SLOTS];
            }
        }
        let Self { bytes, total, printable, zeros, .. } = *self;
        (self.bytes, self.total, self.printable, self.zeros) = (0, 0, 0, 0);
        let Some(scale) = bytes.checked_sub(scales.least).and_then(|more| scales.of.get(more as usize))
        else {
            return [0; LAYOUT_PLANES];
        };
        // Slightly more than a half, so that a tie still rounds up after multiplying by a rounded reciprocal.
        let level = |v: f64| (v + 0.500_000_1) as u8;
        let share = scale.one * 255.0;
        [
            level(total as f64 * scale.one),
            level(zeros as f64 * share),
            level(printable as f64 * share),
            level((scale.log - terms * scale.one) * scale.entropy),
        ]
    }
}

/// Terms are summed as integers in this unit, so that the order of the sum does not matter. The terms of counts
/// below 16 have 24 bits.
const TERM_UNIT: f64 = (1 << 18) as f64;

/// n·log₂ n, in [`TERM_UNIT`]s.
static TERMS: std::sync::LazyLock<[u32; 1024]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|n| (n as f64 * (n.max(1) as f64).log2() * TERM_UNIT).round() as u32)
});

/// Σ c·log₂ c, in [`TERM_UNIT`]s.
fn narrow_terms(counts: &[u8; 256]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[allow(unsafe_code, reason = "calls a function compiled for AVX2")]
        // SAFETY: the processor has AVX2, as just checked.
        return unsafe { narrow_terms_avx2(counts) };
    }
    let table = &*TERMS;
    counts.iter().map(|count| u64::from(table[*count as usize])).sum()
}

/// The three bytes of the term of each count below 16.
#[cfg(target_arch = "x86_64")]
static SMALL_TERMS: std::sync::LazyLock<[[u8; 16]; 3]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|byte| std::array::from_fn(|n| (TERMS[n] >> (8 * byte)) as u8))
});

/// The same. Most counts are below 16, whose terms a shuffle looks up in a vector.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn narrow_terms_avx2(counts: &[u8; 256]) -> u64 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm256_add_epi64, _mm256_adds_epu8, _mm256_broadcastsi128_si256,
        _mm256_extract_epi64, _mm256_movemask_epi8, _mm256_sad_epu8, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_slli_epi64,
    };
    let terms = &*TERMS;
    let tables =
        SMALL_TERMS.map(|table| _mm256_broadcastsi128_si256(bytemuck::cast::<[u8; 16], __m128i>(table)));
    let zero = _mm256_setzero_si256();
    let mut sums = [zero; 3];
    let mut sum = 0;
    for counts in counts.as_chunks::<32>().0 {
        let v = bytemuck::cast::<[u8; 32], __m256i>(*counts);
        // Sets the top bit of counts of 16 and more, for which the shuffle then gives 0.
        let within = _mm256_adds_epu8(v, _mm256_set1_epi8(0x70));
        let mut large = _mm256_movemask_epi8(within) as u32;
        for (sums, table) in sums.iter_mut().zip(tables) {
            *sums = _mm256_add_epi64(*sums, _mm256_sad_epu8(_mm256_shuffle_epi8(table, within), zero));
        }
        while large != 0 {
            sum += u64::from(terms[counts[large.trailing_zeros() as usize % 32] as usize]);
            large &= large - 1;
        }
    }
    let [low, middle, high] = sums;
    let all = _mm256_add_epi64(low, _mm256_slli_epi64::<8>(middle));
    let all = _mm256_add_epi64(all, _mm256_slli_epi64::<16>(high));
    let lanes = [
        _mm256_extract_epi64::<0>(all),
        _mm256_extract_epi64::<1>(all),
        _mm256_extract_epi64::<2>(all),
        _mm256_extract_epi64::<3>(all),
    ];
    sum + lanes.iter().map(|lane| *lane as u64).sum::<u64>()
}

/// Adds bytes, with their slots, to the counts of a cell.
struct CountBytes<'a> {
    bytes: &'a [u8],
    slots: &'a [u16],
    cell: &'a mut Cell,
}

impl NullaryFnOnce for CountBytes<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Cell { bytes, total, printable, zeros, counts } = self.cell;
        *bytes += self.bytes.len() as u64;
        let (mut none, mut text, mut sum) = (0_u32, 0_u32, 0_u32);
        for byte in self.bytes {
            none += u32::from(*byte == 0);
            text += u32::from(is_text(*byte));
            sum += u32::from(*byte);
        }
        *zeros += u64::from(none);
        *printable += u64::from(text);
        *total += u64::from(sum);
        match counts {
            Counts::Narrow(counts) => {
                for slot in self.slots {
                    if let Some(count) = counts.get_mut(*slot as usize) {
                        *count = count.wrapping_add(1);
                    }
                }
            }
            Counts::Wide(counts) => {
                for slot in self.slots {
                    if let Some(count) = counts.get_mut(*slot as usize) {
                        *count += 1;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avx2_terms_equal_the_reference() {
        let mut state = 1_u32;
        for round in 0..2000 {
            let counts: [u8; 256] = std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8 & [1, 15, 31, 255][round % 4]
            });
            let want = counts.iter().map(|count| u64::from(TERMS[*count as usize])).sum::<u64>();
            assert_eq!(narrow_terms(&counts), want);
        }
    }
}
