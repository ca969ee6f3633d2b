//! Large cells: the statistics of cells of more bytes than [`SMALL`](super::small_cells::SMALL), one at a
//! time, by a histogram.

use super::layout::{CELLS, LAYOUT, Statistics, cell_range, is_text};
use crate::numeric::wide;
use pulp::NullaryFnOnce;

/// Makes statistics of cells of a file from its chunks, in order.
#[derive(Debug)]
pub struct LargeCells {
    size: u64,
    done: Vec<Statistics>,
    /// Where the next byte stands, and where its cell ends.
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
            Counts::Narrow(Box::new([0; PLACES]))
        } else {
            Counts::Wide(Box::new([0; PLACES]))
        };
        let cell = Cell { bytes: 0, total: 0, printable: 0, zeros: 0, counts };
        let done = Vec::with_capacity(CELLS);
        Self { size, done, at: 0, cell_end: cell_range(0, size).end, scales, cell }
    }

    /// The next bytes; not more than were promised.
    pub fn push(&mut self, bytes: &[u8]) {
        for mut block in bytes.chunks(BLOCK) {
            let mut places = [0; BLOCK];
            wide(Places { bytes: block, places: &mut places });
            let mut places = &places[..];
            while !block.is_empty() && self.done.len() < CELLS {
                let until = usize::try_from(self.cell_end - self.at).unwrap_or(usize::MAX);
                let n = block.len().min(until);
                wide(Tally { bytes: &block[..n], places: &places[..n], cell: &mut self.cell });
                self.at += n as u64;
                (block, places) = (&block[n..], &places[n..]);
                if n == until {
                    self.done.push(self.cell.settle(&self.scales));
                    self.cell_end = cell_range(self.done.len(), self.size).end;
                }
            }
        }
    }

    /// The statistics of all cells that were there.
    pub fn finish(self) -> Vec<Statistics> {
        self.done
    }
}

/// What the statistics of cells of `n` bytes have in common.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// 1 / n.
    one: f64,
    /// log₂ n.
    log: f64,
    /// 255 / the most entropy that n bytes can have.
    entropy: f64,
}

impl Scale {
    fn of(n: u64) -> Self {
        let log = (n.max(2) as f64).log2();
        Self { one: 1.0 / n.max(1) as f64, log, entropy: 255.0 / log.min(8.0) }
    }
}

/// The cells of a file have one of two sizes, `least` bytes or one more.
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

/// Bytes that are looked at together.
const BLOCK: usize = 1024;
/// Places for zeros behind those of the other values.
const ASIDE: usize = 64;
/// Places of a histogram.
const PLACES: usize = 256 + ASIDE;

/// Where each byte is counted: files are full of zeros, and to count them in one place would have each
/// wait for the one before.
struct Places<'a> {
    bytes: &'a [u8],
    places: &'a mut [u16; BLOCK],
}

impl NullaryFnOnce for Places<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (place, (i, byte)) in self.places.iter_mut().zip(self.bytes.iter().enumerate()) {
            *place = if *byte == 0 { 256 + (i % ASIDE) as u16 } else { u16::from(*byte) };
        }
    }
}

/// What is known so far of a cell.
#[derive(Debug)]
struct Cell {
    bytes: u64,
    total: u64,
    printable: u64,
    zeros: u64,
    counts: Counts,
}

/// How often each value occurs, but zero; and behind them.
#[derive(Debug)]
enum Counts {
    /// In cells of at most 255 bytes: so few that most of the work is to look at them.
    Narrow(Box<[u8; PLACES]>),
    Wide(Box<[u32; PLACES]>),
}

impl Cell {
    /// Its statistics; and begins again.
    fn settle(&mut self, scales: &Scales) -> Statistics {
        let term = |count: u64| match TERMS.get(count as usize) {
            Some(term) => f64::from(*term) / TERM_UNIT,
            None => count as f64 * (count as f64).log2(),
        };
        let mut terms = term(self.zeros);
        match &mut self.counts {
            Counts::Narrow(counts) => {
                counts[0] = 0;
                terms += narrow_terms(counts.first_chunk().unwrap_or(&[0; 256])) as f64 / TERM_UNIT;
                **counts = [0; PLACES];
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
                **counts = [0; PLACES];
            }
        }
        let Self { bytes, total, printable, zeros, .. } = *self;
        (self.bytes, self.total, self.printable, self.zeros) = (0, 0, 0, 0);
        let Some(scale) = bytes.checked_sub(scales.least).and_then(|more| scales.of.get(more as usize))
        else {
            return [0; LAYOUT];
        };
        // A hair above a half, so that a tie goes up although it was multiplied, not divided.
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

/// Terms are added as whole numbers, so that the order does not matter: those of counts below 16 have 24 bits.
const TERM_UNIT: f64 = (1 << 18) as f64;

/// n·log₂ n, in [`TERM_UNIT`]s.
static TERMS: std::sync::LazyLock<[u32; 1024]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|n| (n as f64 * (n.max(1) as f64).log2() * TERM_UNIT).round() as u32)
});

/// Σ c·log₂ c, in [`TERM_UNIT`]s.
fn narrow_terms(counts: &[u8; 256]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        return unsafe { narrow_terms_avx2(counts) };
    }
    let table = &*TERMS;
    counts.iter().map(|count| u64::from(table[*count as usize])).sum()
}

/// The three bytes of each term of a count below 16.
#[cfg(target_arch = "x86_64")]
static SMALL_TERMS: std::sync::LazyLock<[[u8; 16]; 3]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|byte| std::array::from_fn(|n| (TERMS[n] >> (8 * byte)) as u8))
});

/// The same: most counts are below 16, and a vector is a table of as many.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn narrow_terms_avx2(counts: &[u8; 256]) -> u64 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm256_add_epi64, _mm256_adds_epu8, _mm256_broadcastsi128_si256,
        _mm256_extract_epi64, _mm256_movemask_epi8, _mm256_sad_epu8, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_slli_epi64,
    };
    let terms = &*TERMS;
    // SAFETY: both are 16 bytes without a meaning of their own.
    let tables = SMALL_TERMS.map(|table| unsafe { std::mem::transmute::<[u8; 16], __m128i>(table) });
    let tables = tables.map(|table| _mm256_broadcastsi128_si256(table));
    let nothing = _mm256_setzero_si256();
    let mut sums = [nothing; 3];
    let mut sum = 0;
    for counts in counts.as_chunks::<32>().0 {
        // SAFETY: both are 32 bytes without a meaning of their own.
        let v = unsafe { std::mem::transmute::<[u8; 32], __m256i>(*counts) };
        // Sets the topmost bit of those that are not in the table, which then says 0.
        let within = _mm256_adds_epu8(v, _mm256_set1_epi8(0x70));
        let mut large = _mm256_movemask_epi8(within) as u32;
        for (sums, table) in sums.iter_mut().zip(tables) {
            *sums = _mm256_add_epi64(*sums, _mm256_sad_epu8(_mm256_shuffle_epi8(table, within), nothing));
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

/// Adds bytes, and where they are counted, to a cell.
struct Tally<'a> {
    bytes: &'a [u8],
    places: &'a [u16],
    cell: &'a mut Cell,
}

impl NullaryFnOnce for Tally<'_> {
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
                for place in self.places {
                    if let Some(count) = counts.get_mut(*place as usize) {
                        *count = count.wrapping_add(1);
                    }
                }
            }
            Counts::Wide(counts) => {
                for place in self.places {
                    if let Some(count) = counts.get_mut(*place as usize) {
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
    fn the_fast_terms_are_the_plain_ones() {
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
