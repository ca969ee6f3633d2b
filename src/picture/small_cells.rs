//! Small cells: the statistics of cells of at most [`SMALL`] bytes, many cells at a time.
//!
//! Each byte is compared with all bytes of its cell, which saves clearing a histogram every few bytes: log₂ of the
//! number of equal bytes, summed over all bytes, is Σ c·log₂ c.

use super::cells::{CELLS, LAYOUT_PLANES, Statistics, cell_range, is_text};
use crate::numeric::{log2, wide};
use pulp::NullaryFnOnce;

/// The most bytes of a cell.
pub const SMALL: usize = 64;

/// Computes the statistics of a file's cells from its chunks, in order.
#[derive(Debug)]
pub struct SmallCells {
    /// Bytes of the file.
    size: u64,
    /// The offset of the next cell.
    start: usize,
    /// The bytes of the incomplete cell.
    kept: Vec<u8>,
    done: Vec<Sums>,
}

impl SmallCells {
    /// For a file of `size` bytes, with at least one and at most [`SMALL`] bytes in each cell.
    pub fn new(size: u64) -> Self {
        let (kept, done) = (Vec::with_capacity(SMALL), Vec::with_capacity(CELLS));
        Self { size, start: 0, kept, done }
    }

    /// Adds the next bytes of the file, up to its size.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.done.len() < CELLS {
            if self.kept.is_empty() {
                bytes = &bytes[self.push_cells(bytes)..];
            }
            let end = cell_range(self.done.len(), self.size).end as usize;
            let missing = (end - self.start).saturating_sub(self.kept.len());
            let (now, later) = bytes.split_at(bytes.len().min(missing));
            self.kept.extend_from_slice(now);
            bytes = later;
            if now.len() == missing && !self.kept.is_empty() {
                self.done.push(Sums::of(&self.kept));
                self.kept.clear();
                self.start = end;
            }
        }
    }

    /// Adds whole cells from the front of `bytes`, as many as can be loaded from there. Returns how many bytes
    /// they have.
    fn push_cells(&mut self, bytes: &[u8]) -> usize {
        let begun = self.start;
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            #[allow(unsafe_code, reason = "calls functions compiled for AVX2")]
            // SAFETY: the processor has AVX2, as just checked.
            unsafe {
                match self.size as usize / CELLS {
                    ..16 => self.push_pairs(bytes),
                    16..32 => self.push_single::<1>(bytes),
                    _ => self.push_single::<2>(bytes),
                }
            }
            return self.start - begun;
        }
        loop {
            let end = cell_range(self.done.len(), self.size).end as usize;
            let cell = bytes.get(self.start - begun..end - begun);
            let (Some(cell), true) = (cell, self.done.len() < CELLS) else { break };
            self.done.push(Sums::of(cell));
            self.start = end;
        }
        self.start - begun
    }

    /// The statistics of all complete cells.
    pub fn finish(self) -> Vec<Statistics> {
        let mut out = vec![[0; LAYOUT_PLANES]; self.done.len()];
        out.reserve_exact(CELLS - out.len());
        wide(ComputeStatistics { sums: &self.done, size: self.size, out: &mut out });
        out
    }
}

/// Logarithms are summed as integers in this unit, so that the order of the sum does not matter and every processor
/// gets the same result: six octaves in 24 bits.
const LOG_UNIT: f64 = (1 << 21) as f64;

/// log₂ (n + 1) in [`LOG_UNIT`]s.
static LOGS: std::sync::LazyLock<[u32; SMALL]> =
    std::sync::LazyLock::new(|| std::array::from_fn(|n| (((n + 1) as f64).log2() * LOG_UNIT).round() as u32));

/// The sums of a cell, packed into one number: from bit 0 on Σ log₂ of the number of equal bytes, then the sum of
/// the bytes, the number of zeros, and the number of printable bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sums(u64);

/// The bit at which each part of [`Sums`] starts: after 64 logarithms, after 64 bytes, after a count of up to 64.
const TOTAL: u32 = 30;
const ZEROS: u32 = 44;
const PRINTABLE: u32 = 51;

impl Sums {
    /// The reference implementation.
    fn of(cell: &[u8]) -> Self {
        let mut packed = 0;
        for byte in cell {
            let equal = cell.iter().filter(|other| *other == byte).count();
            packed += u64::from(LOGS[(equal - 1) % SMALL]);
            packed += u64::from(*byte) << TOTAL;
            packed += u64::from(*byte == 0) << ZEROS;
            packed += u64::from(is_text(*byte)) << PRINTABLE;
        }
        Self(packed)
    }

    fn part(self, from: u32, to: u32) -> f32 {
        ((self.0 >> from) as u32 & ((1 << (to - from)) - 1)) as f32
    }
}

/// The same for many cells at once. The compiler by itself vectorises the wrong loop, which takes four times as long.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{CELLS, LOGS, PRINTABLE, SMALL, SmallCells, Sums, TOTAL, ZEROS};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_add_epi64, _mm_cvtsi128_si64, _mm_extract_epi64, _mm_unpackhi_epi64,
        _mm_unpacklo_epi64, _mm256_add_epi8, _mm256_add_epi64, _mm256_adds_epu8, _mm256_and_si256,
        _mm256_broadcastsi128_si256, _mm256_castsi128_si256, _mm256_castsi256_si128, _mm256_cmpeq_epi8,
        _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_min_epu8, _mm256_or_si256, _mm256_sad_epu8,
        _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi64, _mm256_sub_epi8,
    };

    /// From `SMALL - n` on, a mask of the first n lanes.
    static FIRST: [u8; 2 * SMALL] = {
        let mut masks = [0; 2 * SMALL];
        let mut lane = 0;
        while lane < SMALL {
            masks[lane] = 0xff;
            lane += 1;
        }
        masks
    };

    /// The three bytes of each logarithm, sixteen counts at a time.
    static TABLES: std::sync::LazyLock<[[[u8; 16]; 3]; SMALL / 16]> = std::sync::LazyLock::new(|| {
        std::array::from_fn(|range| {
            std::array::from_fn(|byte| std::array::from_fn(|n| (LOGS[range * 16 + n] >> (8 * byte)) as u8))
        })
    });

    #[inline(always)]
    fn load16(bytes: &[u8; 16]) -> __m128i {
        bytemuck::cast(*bytes)
    }

    #[inline(always)]
    fn load32(bytes: &[u8; 32]) -> __m256i {
        bytemuck::cast(*bytes)
    }

    /// A mask of the first `n` lanes of a vector of `N` bytes.
    #[inline(always)]
    fn first_lanes<const N: usize>(n: usize) -> [u8; N] {
        FIRST.get(SMALL - n.min(SMALL)..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
    }

    /// The [`Sums`] of each group of eight lanes. `mask`: the lanes that belong to the cell. `equal`: for each lane,
    /// the number of lanes of its cell equal to it, minus one; below 16 · `RANGES`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn sums<const RANGES: usize>(
        v: __m256i,
        mask: __m256i,
        equal: __m256i,
        tables: &[[[u8; 16]; 3]; SMALL / 16],
    ) -> __m256i {
        let zero = _mm256_setzero_si256();
        let equal = _mm256_and_si256(equal, mask);
        let mut logs = [zero; 3];
        for (range, tables) in tables.iter().enumerate().take(RANGES) {
            // The shuffle looks up indices 0 to 15; any other index is moved to where the shuffle gives 0.
            let within = _mm256_sub_epi8(equal, _mm256_set1_epi8(16 * range as i8));
            let within = _mm256_adds_epu8(within, _mm256_set1_epi8(0x70));
            for (logs, table) in logs.iter_mut().zip(tables) {
                let table = _mm256_broadcastsi128_si256(load16(table));
                *logs = _mm256_or_si256(*logs, _mm256_shuffle_epi8(table, within));
            }
        }
        let one = _mm256_set1_epi8(1);
        let is = |byte: u8| _mm256_cmpeq_epi8(v, _mm256_set1_epi8(byte as i8));
        // From 0x20 to 0x7e: at most 0x5e after subtracting 0x20.
        let from_space = _mm256_add_epi8(v, _mm256_set1_epi8(0xe0_u8 as i8));
        let in_range = _mm256_cmpeq_epi8(_mm256_min_epu8(from_space, _mm256_set1_epi8(0x5e)), from_space);
        let printable = _mm256_or_si256(in_range, _mm256_or_si256(is(9), _mm256_or_si256(is(10), is(13))));
        let sum = |lanes| _mm256_sad_epu8(lanes, zero);
        let ones = _mm256_and_si256(mask, one);
        let [low, middle, high] = logs.map(sum);
        let logs = _mm256_add_epi64(low, _mm256_slli_epi64::<8>(middle));
        let logs = _mm256_add_epi64(logs, _mm256_slli_epi64::<16>(high));
        let total = _mm256_slli_epi64::<{ TOTAL as i32 }>(sum(_mm256_and_si256(v, mask)));
        let zeros = _mm256_slli_epi64::<{ ZEROS as i32 }>(sum(_mm256_and_si256(is(0), ones)));
        let printable = _mm256_slli_epi64::<{ PRINTABLE as i32 }>(sum(_mm256_and_si256(printable, ones)));
        _mm256_add_epi64(_mm256_add_epi64(logs, total), _mm256_add_epi64(zeros, printable))
    }

    impl SmallCells {
        /// Adds cells of up to 16 bytes, two at a time.
        #[target_feature(enable = "avx2")]
        pub(super) fn push_pairs(&mut self, bytes: &[u8]) {
            let tables = &*TABLES;
            let (begun, size) = (self.start, self.size as usize);
            let least = size / CELLS;
            let one = _mm256_set1_epi8(1);
            while self.done.len() + 1 < CELLS {
                let next = self.done.len() + 1;
                let (middle, end) = (next * size / CELLS, (next + 1) * size / CELLS);
                let at = |place: usize| bytes.get(place - begun..).and_then(<[u8]>::first_chunk::<16>);
                let (Some(a), Some(b)) = (at(self.start), at(middle)) else { break };
                let (n, m) = (middle - self.start, end - middle);
                let both = |a, b| _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a), b);
                let v = both(load16(a), load16(b));
                let mask = both(load16(&first_lanes(n)), load16(&first_lanes(m)));
                // Both cells have at least this many bytes; some have one more.
                let mut equal = _mm256_set1_epi8(-1);
                let mut lane = _mm256_setzero_si256();
                for _ in 0..least {
                    // A comparison gives -1 where it is true.
                    equal = _mm256_sub_epi8(equal, _mm256_cmpeq_epi8(v, _mm256_shuffle_epi8(v, lane)));
                    lane = _mm256_add_epi8(lane, one);
                }
                if n.max(m) > least {
                    let has = |n: usize| load16(&[if n > least { 0xff } else { 0 }; 16]);
                    let more = _mm256_cmpeq_epi8(v, _mm256_shuffle_epi8(v, lane));
                    equal = _mm256_sub_epi8(equal, _mm256_and_si256(more, both(has(n), has(m))));
                }
                let sums = sums::<1>(v, mask, equal, tables);
                let (a, b) = (_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
                let both = _mm_add_epi64(_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b));
                self.done.push(Sums(_mm_cvtsi128_si64(both) as u64));
                self.done.push(Sums(_mm_extract_epi64::<1>(both) as u64));
                self.start = end;
            }
        }

        /// Adds cells of up to 32 bytes for each of `VECTORS` vectors, one at a time.
        #[target_feature(enable = "avx2")]
        pub(super) fn push_single<const VECTORS: usize>(&mut self, bytes: &[u8]) {
            let tables = &*TABLES;
            let (begun, size) = (self.start, self.size as usize);
            while self.done.len() < CELLS {
                let end = (self.done.len() + 1) * size / CELLS;
                let Some(lanes) = bytes.get(self.start - begun..) else { break };
                let (Some(lanes), _) = lanes.as_chunks::<32>().0.split_at_checked(VECTORS).unzip() else {
                    break;
                };
                let n = end - self.start;
                let v: [__m256i; VECTORS] = std::array::from_fn(|i| load32(&lanes[i]));
                let mut equal = [_mm256_set1_epi8(-1); VECTORS];
                for byte in &lanes.as_flattened()[..n] {
                    let byte = _mm256_set1_epi8(*byte as i8);
                    for (equal, v) in equal.iter_mut().zip(v) {
                        *equal = _mm256_sub_epi8(*equal, _mm256_cmpeq_epi8(v, byte));
                    }
                }
                let masks = first_lanes::<SMALL>(n);
                let mut all = _mm256_setzero_si256();
                for ((v, equal), mask) in v.into_iter().zip(equal).zip(masks.as_chunks::<32>().0) {
                    let mask = load32(mask);
                    let some = match VECTORS {
                        1 => sums::<2>(v, mask, equal, tables),
                        _ => sums::<4>(v, mask, equal, tables),
                    };
                    all = _mm256_add_epi64(all, some);
                }
                let half = _mm_add_epi64(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
                let sum = _mm_add_epi64(half, _mm_unpackhi_epi64(half, half));
                self.done.push(Sums(_mm_cvtsi128_si64(sum) as u64));
                self.start = end;
            }
        }
    }
}

/// Computes statistics from sums.
struct ComputeStatistics<'a> {
    sums: &'a [Sums],
    /// Bytes of the file.
    size: u64,
    out: &'a mut [Statistics],
}

impl NullaryFnOnce for ComputeStatistics<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { sums, size, out } = self;
        let least = size / CELLS as u64;
        // Cells have one of two sizes.
        let sizes = [least as f32, (least + 1) as f32];
        let one = sizes.map(f32::recip);
        let logs = sizes.map(log2);
        let scale = logs.map(|log| 255.0 / log.max(1e-9));
        // The remainder of size / CELLS is spread over the cells: the share of the remainder adds up from cell to
        // cell, and the cell in which it reaches a whole byte is one byte larger.
        let over = (size % CELLS as u64) as u32;
        for (cell, (out, sums)) in out.iter_mut().zip(sums).enumerate() {
            let larger = (cell as u32 * over) % CELLS as u32 + over >= CELLS as u32;
            let pick = |of: [f32; 2]| if larger { of[1] } else { of[0] };
            let (one, log, scale) = (pick(one), pick(logs), pick(scale));
            let terms = sums.part(0, TOTAL) * (1.0 / LOG_UNIT as f32);
            // Slightly more than a half, so that a tie still rounds up after multiplying by a rounded reciprocal.
            let level = |v: f32| (v + 0.500_1) as i32 as u8;
            *out = [
                level(sums.part(TOTAL, ZEROS) * one),
                level(sums.part(ZEROS, PRINTABLE) * (one * 255.0)),
                level(sums.part(PRINTABLE, 63) * (one * 255.0)),
                // Rounding may exceed the highest entropy when all bytes differ.
                level(((log - terms * one) * scale).clamp(0.0, 255.0)),
            ];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avx2_sums_equal_the_reference() {
        let mut state = 1_u32;
        for least in 1..SMALL {
            for more in [0, 1, 1000, 4095] {
                let size = least * CELLS + more;
                let bytes: Vec<u8> = (0..size)
                    .map(|i| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        // One value, few values or many.
                        (state >> 24) as u8 & [0, 3, 15, 255, 0x7f][i / 997 % 5]
                    })
                    .collect();
                let mut cells = SmallCells::new(size as u64);
                cells.push(&bytes);
                assert_eq!(cells.done.len(), CELLS);
                for (cell, found) in cells.done.iter().enumerate() {
                    let range = cell_range(cell, size as u64);
                    let want = Sums::of(&bytes[range.start as usize..range.end as usize]);
                    assert_eq!(*found, want, "cell {cell} of {size} bytes");
                }
            }
        }
    }
}
