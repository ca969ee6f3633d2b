//! From a row of counts to those of its levels that are above 0, in order, and a mark for each.

use super::counts::TOGETHER;

/// The levels of one row that are above 0.
#[derive(Debug, PartialEq, Eq)]
pub struct Compact {
    /// A bit for each count whose level is above 0, the first the lowest.
    pub marks: u64,
    /// The levels, as many as there are bits, and room behind them.
    levels: [u8; TOGETHER + 8],
}

impl Compact {
    /// The levels.
    pub fn levels(&self) -> &[u8] {
        &self.levels[..self.marks.count_ones() as usize]
    }

    /// By the definition, of counts of any width.
    pub fn of(counts: impl Iterator<Item = u32>, level: impl Fn(u32) -> u8) -> Self {
        let mut out = Self { marks: 0, levels: [0; TOGETHER + 8] };
        let mut kept = 0;
        for (place, count) in counts.take(TOGETHER).enumerate() {
            if count > 0 {
                let level = level(count);
                out.levels[kept] = level;
                // What is rarer than the scale can say is kept as not at all.
                kept += usize::from(level > 0);
                out.marks |= u64::from(level > 0) << place;
            }
        }
        out
    }

    /// Of narrow counts. `known`: the levels of the counts below 64, of which that of 0 is 0.
    pub fn of_narrow(counts: &[u16; TOGETHER], known: &[u8; 64], level: impl Fn(u32) -> u8) -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt") {
            // SAFETY: the processor has what the function asks for.
            return unsafe { of_narrow_avx2(counts, known, level) };
        }
        let all = |count: u32| known.get(count as usize).copied().unwrap_or_else(|| level(count));
        Self::of(counts.iter().map(|count| u32::from(*count)), all)
    }
}

/// For each eight marks, where those that are set are found, in order.
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
fn of_narrow_avx2(counts: &[u16; TOGETHER], known: &[u8; 64], level: impl Fn(u32) -> u8) -> Compact {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_shuffle_epi8, _mm256_adds_epu8,
        _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_max_epu8, _mm256_min_epu16,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_packus_epi16, _mm256_permute4x64_epi64,
        _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sub_epi8,
        _mm256_testz_si256,
    };
    let mut out = Compact { marks: 0, levels: [0; TOGETHER + 8] };
    // SAFETY: both are 128 bytes in which every bit may be as it likes; as for all below.
    let [a, b, c, d] = unsafe { std::mem::transmute::<[u16; TOGETHER], [__m256i; 4]>(*counts) };
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
    // SAFETY: as above.
    let tables = unsafe { std::mem::transmute::<[u8; 64], [__m128i; 4]>(*known) };
    let mut large = 0;
    let levels = std::array::from_fn::<_, 2, _>(|half| {
        let counts = halves[half];
        let mut levels = _mm256_setzero_si256();
        for (range, table) in tables.iter().enumerate() {
            // A table is asked for 0 to 15; whatever lies outside is moved to where the answer is 0.
            let within = _mm256_sub_epi8(counts, _mm256_set1_epi8(16 * range as i8));
            let within = _mm256_adds_epu8(within, _mm256_set1_epi8(0x70));
            let table = _mm256_broadcastsi128_si256(*table);
            levels = _mm256_or_si256(levels, _mm256_shuffle_epi8(table, within));
        }
        let not_known = _mm256_cmpeq_epi8(_mm256_max_epu8(counts, _mm256_set1_epi8(64)), counts);
        large |= u64::from(_mm256_movemask_epi8(not_known) as u32) << (32 * half);
        levels
    });
    // SAFETY: as above.
    let mut levels = unsafe { std::mem::transmute::<[__m256i; 2], [u8; TOGETHER]>(levels) };
    while large != 0 {
        let place = large.trailing_zeros() as usize % TOGETHER;
        levels[place] = level(u32::from(counts[place]));
        large &= large - 1;
    }
    // SAFETY: as above.
    let halves = unsafe { std::mem::transmute::<[u8; TOGETHER], [__m256i; 2]>(levels) };
    let none =
        halves.map(|half| _mm256_movemask_epi8(_mm256_cmpeq_epi8(half, _mm256_setzero_si256())) as u32);
    out.marks = !(u64::from(none[0]) | u64::from(none[1]) << 32);
    let mut kept = 0;
    for (eight, marks) in levels.as_chunks::<8>().0.iter().zip(out.marks.to_le_bytes()) {
        let from = _mm_cvtsi64_si128(i64::from_le_bytes(*eight));
        let places = _mm_cvtsi64_si128(i64::from_le_bytes(PLACES[marks as usize]));
        let eight = _mm_cvtsi128_si64(_mm_shuffle_epi8(from, places));
        // Those behind are written over by the next; there is room for the last.
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
    fn the_fast_levels_are_the_plain_ones() {
        // Some counts have no level of their own, and some levels are 0.
        let level = |count: u32| (count / 3).min(255) as u8;
        let known: [u8; 64] = std::array::from_fn(|count| level(count as u32));
        let mut state = 1_u32;
        for round in 0..5000 {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 8
            };
            let counts: [u16; TOGETHER] = std::array::from_fn(|_| {
                (next() & next() & [0, 7, 63, 127, 255, 511, 0xffff][round % 7]) as u16
            });
            let fast = Compact::of_narrow(&counts, &known, level);
            let plain = Compact::of(counts.iter().map(|count| u32::from(*count)), level);
            assert_eq!((fast.marks, fast.levels()), (plain.marks, plain.levels()));
        }
    }
}
