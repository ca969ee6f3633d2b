//! Compact rows: the non-zero levels of a row of counts, with a bit mask of the bins they belong to.

use super::counts::ROW;

/// The non-zero levels of one row.
#[derive(Debug, PartialEq, Eq)]
pub struct CompactRow {
    /// A bit for each bin whose level is above 0; the lowest is the first bin.
    pub marks: u64,
    /// One level for each bit, and unused space behind them.
    levels: [u8; ROW + 8],
}

impl CompactRow {
    /// The levels above 0, in order.
    pub fn levels(&self) -> &[u8] {
        &self.levels[..self.marks.count_ones() as usize]
    }

    /// The reference implementation, for counts of any width.
    pub fn from_counts(counts: impl Iterator<Item = u32>, level: impl Fn(u32) -> u8) -> Self {
        let mut out = Self { marks: 0, levels: [0; ROW + 8] };
        let mut kept = 0;
        for (place, count) in counts.take(ROW).enumerate() {
            if count > 0 {
                let level = level(count);
                out.levels[kept] = level;
                // A count below the scale's resolution has level 0 and is dropped.
                kept += usize::from(level > 0);
                out.marks |= u64::from(level > 0) << place;
            }
        }
        out
    }

    /// The same for narrow counts. `known` holds the levels of the counts below 64; that of 0 is 0.
    pub fn from_narrow(counts: &[u16; ROW], known: &[u8; 64], level: impl Fn(u32) -> u8) -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt") {
            #[allow(unsafe_code, reason = "calls a function compiled for AVX2")]
            // SAFETY: the processor has AVX2 and POPCNT, as just checked.
            return unsafe { from_narrow_avx2(counts, known, level) };
        }
        let all = |count: u32| known.get(count as usize).copied().unwrap_or_else(|| level(count));
        Self::from_counts(counts.iter().map(|count| u32::from(*count)), all)
    }
}

/// For each 8-bit mask, the positions of its set bits, in order.
#[cfg(target_arch = "x86_64")]
static PLACES: [[u8; 8]; 256] = {
    let mut places = [[0; 8]; 256];
    let mut marks = 0;
    while marks < 256 {
        let (mut place, mut kept) = (0, 0);
        while place < 8 {
            if marks >> place & 1 == 1 {
                places[marks][kept] = place as u8;
                kept += 1;
            }
            place += 1;
        }
        marks += 1;
    }
    places
};

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn from_narrow_avx2(counts: &[u16; ROW], known: &[u8; 64], level: impl Fn(u32) -> u8) -> CompactRow {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_shuffle_epi8, _mm256_adds_epu8,
        _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_max_epu8, _mm256_min_epu16,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_packus_epi16, _mm256_permute4x64_epi64,
        _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sub_epi8,
        _mm256_testz_si256,
    };
    let mut out = CompactRow { marks: 0, levels: [0; ROW + 8] };
    let [a, b, c, d] = bytemuck::cast::<[u16; ROW], [__m256i; 4]>(*counts);
    let any = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
    if _mm256_testz_si256(any, any) == 1 {
        return out;
    }
    let most = _mm256_set1_epi16(255);
    let narrow = |a, b| {
        let both = _mm256_packus_epi16(_mm256_min_epu16(a, most), _mm256_min_epu16(b, most));
        _mm256_permute4x64_epi64::<0b11_01_10_00>(both)
    };
    let halves = [narrow(a, b), narrow(c, d)];
    let tables = bytemuck::cast::<[u8; 64], [__m128i; 4]>(*known);
    let mut large = 0;
    let levels = std::array::from_fn::<_, 2, _>(|half| {
        let counts = halves[half];
        let mut levels = _mm256_setzero_si256();
        for (range, table) in tables.iter().enumerate() {
            // The shuffle looks up indices 0 to 15; any other index is moved to where the shuffle gives 0.
            let within = _mm256_sub_epi8(counts, _mm256_set1_epi8(16 * range as i8));
            let within = _mm256_adds_epu8(within, _mm256_set1_epi8(0x70));
            let table = _mm256_broadcastsi128_si256(*table);
            levels = _mm256_or_si256(levels, _mm256_shuffle_epi8(table, within));
        }
        let not_known = _mm256_cmpeq_epi8(_mm256_max_epu8(counts, _mm256_set1_epi8(64)), counts);
        large |= u64::from(_mm256_movemask_epi8(not_known) as u32) << (32 * half);
        levels
    });
    let mut levels = bytemuck::cast::<[__m256i; 2], [u8; ROW]>(levels);
    while large != 0 {
        let place = large.trailing_zeros() as usize % ROW;
        levels[place] = level(u32::from(counts[place]));
        large &= large - 1;
    }
    let halves = bytemuck::cast::<[u8; ROW], [__m256i; 2]>(levels);
    let none =
        halves.map(|half| _mm256_movemask_epi8(_mm256_cmpeq_epi8(half, _mm256_setzero_si256())) as u32);
    out.marks = !(u64::from(none[0]) | u64::from(none[1]) << 32);
    let mut kept = 0;
    for (eight, marks) in levels.as_chunks::<8>().0.iter().zip(out.marks.to_le_bytes()) {
        let from = _mm_cvtsi64_si128(i64::from_le_bytes(*eight));
        let places = _mm_cvtsi64_si128(i64::from_le_bytes(PLACES[marks as usize]));
        let eight = _mm_cvtsi128_si64(_mm_shuffle_epi8(from, places));
        // All eight bytes are written; the next group overwrites those beyond the kept ones.
        if let Some(room) = out.levels.get_mut(kept..).and_then(<[u8]>::first_chunk_mut) {
            *room = eight.to_le_bytes();
        }
        kept += marks.count_ones() as usize;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avx2_levels_equal_the_reference() {
        // Several counts share a level, and some levels are 0.
        let level = |count: u32| (count / 3).min(255) as u8;
        let known: [u8; 64] = std::array::from_fn(|count| level(count as u32));
        let mut state = 1_u32;
        for round in 0..5000 {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 8
            };
            let counts: [u16; ROW] = std::array::from_fn(|_| {
                (next() & next() & [0, 7, 63, 127, 255, 511, 0xffff][round % 7]) as u16
            });
            let fast = CompactRow::from_narrow(&counts, &known, level);
            let plain = CompactRow::from_counts(counts.iter().map(|count| u32::from(*count)), level);
            assert_eq!((fast.marks, fast.levels()), (plain.marks, plain.levels()));
        }
    }
}
