//! Small cells: the statistics of cells of at most [`SMALL`] bytes, many at a time.
//!
//! Each byte is compared with all of its cell, which needs no histogram that would have to be cleared for
//! every few bytes: the product over all bytes of how many equal it has Σ c·log₂ c as its logarithm.

use super::layout::{LAYOUT, Statistics};
use crate::numeric::{log2, wide};
use pulp::NullaryFnOnce;

/// Bytes of a cell, at most.
pub const SMALL: usize = 64;
/// Cells that wait for their statistics together.
const BATCH: usize = 64;

/// Makes statistics of cells, in order.
#[derive(Debug)]
pub struct SmallCells {
    /// Bytes of a cell, of which some have one more.
    least: usize,
    waiting: Sums,
    done: Vec<Statistics>,
}

impl SmallCells {
    /// For cells of `least` bytes, or one more, [`SMALL`] at most; so many of them.
    pub fn new(least: usize, cells: usize) -> Self {
        Self { least, waiting: Sums::default(), done: Vec::with_capacity(cells) }
    }

    /// How many cells there were.
    pub fn len(&self) -> usize {
        self.done.len() + self.waiting.cells
    }

    /// A cell that is the first `n` of `lanes`.
    pub fn push(&mut self, lanes: &[u8; SMALL], n: usize) {
        self.waiting.take(lanes, n);
        if self.waiting.cells == BATCH {
            self.settle();
        }
    }

    /// The statistics of all cells.
    pub fn finish(mut self) -> Vec<Statistics> {
        self.settle();
        self.done
    }

    fn settle(&mut self) {
        let out = wide(Settle { sums: &self.waiting, least: self.least });
        self.done.extend(out.iter().take(self.waiting.cells));
        self.waiting.cells = 0;
    }
}

/// What was summed up over each of some cells.
#[derive(Debug)]
struct Sums {
    cells: usize,
    bytes: [u8; BATCH],
    total: [u16; BATCH],
    zeros: [u8; BATCH],
    printable: [u8; BATCH],
    /// Four factors of the product of how many equal each byte: none is larger than 64^16.
    products: [[f32; BATCH]; 4],
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            cells: 0,
            bytes: [0; BATCH],
            total: [0; BATCH],
            zeros: [0; BATCH],
            printable: [0; BATCH],
            products: [[1.0; BATCH]; 4],
        }
    }
}

impl Sums {
    fn take(&mut self, lanes: &[u8; SMALL], n: usize) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            unsafe { self.take_avx2(lanes, n.min(SMALL)) };
            return;
        }
        self.take_plain(lanes, n.min(SMALL));
    }

    fn take_plain(&mut self, lanes: &[u8; SMALL], n: usize) {
        let bytes = &lanes[..n];
        let mut products = [1.0_f32; 4];
        for (i, byte) in bytes.iter().enumerate() {
            products[i % 4] *= bytes.iter().filter(|other| *other == byte).count() as f32;
        }
        let zeros = bytes.iter().filter(|byte| **byte == 0).count();
        let printable = bytes.iter().filter(|byte| is_text(**byte)).count();
        self.put(n, bytes.iter().map(|byte| u16::from(*byte)).sum(), zeros as u8, printable as u8, products);
    }

    #[inline(always)]
    fn put(&mut self, n: usize, total: u16, zeros: u8, printable: u8, products: [f32; 4]) {
        let cell = self.cells % BATCH;
        self.bytes[cell] = n as u8;
        self.total[cell] = total;
        self.zeros[cell] = zeros;
        self.printable[cell] = printable;
        for (all, product) in self.products.iter_mut().zip(products) {
            all[cell] = product;
        }
        self.cells = cell + 1;
    }

    /// The same. Left to itself the compiler makes vectors of the wrong loop, at four times the cost.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,popcnt")]
    fn take_avx2(&mut self, lanes: &[u8; SMALL], n: usize) {
        use std::arch::x86_64::{
            __m128, __m256i, _mm_mul_ps, _mm_srli_si128, _mm256_add_epi8, _mm256_and_si256,
            _mm256_castps256_ps128, _mm256_castsi256_si128, _mm256_cmpeq_epi8, _mm256_cvtepi32_ps,
            _mm256_cvtepu8_epi32, _mm256_extract_epi64, _mm256_extractf128_ps, _mm256_extracti128_si256,
            _mm256_max_epu8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_mul_ps, _mm256_or_si256,
            _mm256_sad_epu8, _mm256_set1_epi8, _mm256_set1_ps, _mm256_setzero_si256, _mm256_sub_epi8,
        };
        let first: &[u8; SMALL] = FIRST[SMALL - n..].first_chunk().unwrap_or(&[0; SMALL]);
        // SAFETY: all are 64 bytes without a meaning of their own.
        let halves = unsafe { std::mem::transmute::<[u8; SMALL], [__m256i; 2]>(*lanes) };
        // SAFETY: as above.
        let masks = unsafe { std::mem::transmute::<[u8; SMALL], [__m256i; 2]>(*first) };
        let nothing = _mm256_setzero_si256();
        let mut equal = [nothing; 2];
        // A comparison gives -1 where it holds.
        for byte in &lanes[..n] {
            let byte = _mm256_set1_epi8(*byte as i8);
            equal[0] = _mm256_sub_epi8(equal[0], _mm256_cmpeq_epi8(halves[0], byte));
            if n > 32 {
                equal[1] = _mm256_sub_epi8(equal[1], _mm256_cmpeq_epi8(halves[1], byte));
            }
        }
        let (mut total, mut zeros, mut printable) = (0, 0, 0);
        let mut products = _mm256_set1_ps(1.0);
        let used = if n > 32 { 2 } else { 1 };
        for ((half, mask), equal) in halves.into_iter().zip(masks).zip(equal).take(used) {
            let count = |found| (_mm256_movemask_epi8(_mm256_and_si256(found, mask)) as u32).count_ones();
            let sums = _mm256_sad_epu8(_mm256_and_si256(half, mask), nothing);
            total += _mm256_extract_epi64::<0>(sums) + _mm256_extract_epi64::<1>(sums);
            total += _mm256_extract_epi64::<2>(sums) + _mm256_extract_epi64::<3>(sums);
            let is = |byte: u8| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte as i8));
            zeros += count(is(0));
            // From 0x20 to 0x7e: what is no more than 0x5e after 0x20 was taken away.
            let from_space = _mm256_add_epi8(half, _mm256_set1_epi8(0xe0_u8 as i8));
            let in_range = _mm256_cmpeq_epi8(_mm256_min_epu8(from_space, _mm256_set1_epi8(0x5e)), from_space);
            let white = _mm256_or_si256(is(0x09), _mm256_or_si256(is(0x0a), is(0x0d)));
            printable += count(_mm256_or_si256(in_range, white));
            // Eight bytes at a time as numbers; a lane that does not count is a factor of 1.
            let factors = _mm256_max_epu8(_mm256_and_si256(equal, mask), _mm256_set1_epi8(1));
            for sixteen in [_mm256_castsi256_si128(factors), _mm256_extracti128_si256::<1>(factors)] {
                let eight = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(sixteen));
                let next = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128::<8>(sixteen)));
                products = _mm256_mul_ps(products, _mm256_mul_ps(eight, next));
            }
        }
        let four = _mm_mul_ps(_mm256_castps256_ps128(products), _mm256_extractf128_ps::<1>(products));
        // SAFETY: both are four numbers.
        let four = unsafe { std::mem::transmute::<__m128, [f32; 4]>(four) };
        self.put(n, total as u16, zeros as u8, printable as u8, four);
    }
}

/// From [`SMALL`] − n on: n lanes that count, and the others.
#[cfg(target_arch = "x86_64")]
static FIRST: [u8; 2 * SMALL] = {
    let mut masks = [0; 2 * SMALL];
    let mut lane = 0;
    while lane < SMALL {
        masks[lane] = 0xff;
        lane += 1;
    }
    masks
};

/// Text and its white space.
#[inline(always)]
pub fn is_text(byte: u8) -> bool {
    byte.wrapping_sub(0x20) < 0x5f || byte == 0x09 || byte == 0x0a || byte == 0x0d
}

/// From sums to statistics.
struct Settle<'a> {
    sums: &'a Sums,
    least: usize,
}

impl NullaryFnOnce for Settle<'_> {
    type Output = [Statistics; BATCH];

    #[inline(always)]
    fn call(self) -> [Statistics; BATCH] {
        let Self { sums, least } = self;
        // Cells have one of two sizes.
        let sizes = [least as f32, (least + 1) as f32];
        let one = [1.0 / sizes[0], 1.0 / sizes[1]];
        let logs = [log2(sizes[0]), log2(sizes[1])];
        let scale = [255.0 / logs[0].max(1e-9), 255.0 / logs[1]];
        let mut out = [[0; LAYOUT]; BATCH];
        for (i, out) in out.iter_mut().enumerate() {
            let larger = usize::from(usize::from(sums.bytes[i]) > least);
            let one = if larger == 1 { one[1] } else { one[0] };
            let log = if larger == 1 { logs[1] } else { logs[0] };
            let scale = if larger == 1 { scale[1] } else { scale[0] };
            let terms: f32 = log2(sums.products[0][i])
                + log2(sums.products[1][i])
                + log2(sums.products[2][i])
                + log2(sums.products[3][i]);
            // A hair above a half, so that a tie goes up although it was multiplied, not divided.
            let level = |v: f32| (v + 0.500_1) as i32 as u8;
            *out = [
                level(f32::from(sums.total[i]) * one),
                level(f32::from(sums.zeros[i]) * (one * 255.0)),
                level(f32::from(sums.printable[i]) * (one * 255.0)),
                // All different: not a hair less than the most.
                level(((log - terms * one) * scale).clamp(0.0, 255.0)),
            ];
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_sums_are_the_plain_ones() {
        let mut state = 1_u32;
        for round in 0..5000 {
            let lanes: [u8; SMALL] = std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Of few values or of many.
                (state >> 24) as u8 & [3, 15, 255, 0x7f][round % 4]
            });
            let n = round % SMALL + 1;
            let (mut fast, mut plain) = (Sums::default(), Sums::default());
            fast.take(&lanes, n);
            plain.take_plain(&lanes, n);
            let counts = |sums: &Sums| (sums.bytes[0], sums.total[0], sums.zeros[0], sums.printable[0]);
            assert_eq!(counts(&fast), counts(&plain));
            let log = |sums: &Sums| sums.products.iter().map(|p| f64::from(p[0]).log2()).sum::<f64>();
            assert!((log(&fast) - log(&plain)).abs() < 1e-4, "{n}");
        }
    }
}
