//! Text grams: how often each four consecutive bytes occur in runs of printable text, hashed into as many bins as
//! there are levels (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009). The files of
//! one family share names of modules, messages and imports.

use super::counts::Counts;

/// The shortest run of printable bytes that counts as text: code contains shorter runs by chance.
const TEXT_RUN: usize = 6;
/// Bytes processed together.
const WORD: usize = 64;
/// Bytes of the previous chunk that are needed.
const BEFORE: usize = TEXT_RUN - 1;

/// Counts text grams across chunks.
#[derive(Debug)]
pub struct GramCounts {
    /// The last bytes, after zeros at the start of a file, which are not text.
    before: [u8; BEFORE],
    /// How often each gram occurred.
    pub counts: Counts,
}

impl GramCounts {
    /// Counters at the start of a file.
    pub fn new() -> Self {
        Self { before: [0; BEFORE], counts: Counts::new() }
    }

    /// Counts the grams of the next bytes of the file.
    pub fn count(&mut self, bytes: &[u8]) {
        // The first bytes, where a run of text may have started in the previous chunk.
        let mut seam = [0; 2 * BEFORE];
        let some = bytes.len().min(BEFORE);
        seam[..BEFORE].copy_from_slice(&self.before);
        seam[BEFORE..BEFORE + some].copy_from_slice(&bytes[..some]);
        self.count_runs(&seam[..BEFORE + some]);
        self.count_runs(bytes);
        if some == BEFORE {
            self.before.copy_from_slice(&bytes[bytes.len() - BEFORE..]);
        } else {
            self.before.copy_from_slice(&seam[some..some + BEFORE]);
        }
    }

    /// Forgets the last bytes, so that the next bytes start a new file.
    pub fn start_file(&mut self) {
        self.before = [0; BEFORE];
    }

    /// Counts the grams that end in `bytes` where at least the last [`TEXT_RUN`] bytes are printable.
    fn count_runs(&mut self, bytes: &[u8]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("popcnt")
        {
            #[allow(unsafe_code, reason = "calls a function compiled for AVX2")]
            // SAFETY: the processor has AVX2, BMI1 and POPCNT, as just checked.
            return unsafe { avx2::count_runs(self, bytes) };
        }
        self.count_runs_with(bytes, printable, |bytes, bins| {
            for (gram, bin_of) in bytes.windows(4).zip(bins) {
                *bin_of = gram.first_chunk().map_or(0, |gram| u32::from(bin(*gram)));
            }
        });
    }

    /// The same, with functions that find the printable bytes and the bins of the grams.
    #[inline(always)]
    fn count_runs_with(
        &mut self,
        bytes: &[u8],
        printable: impl Fn(&[u8; WORD]) -> u64,
        bins: impl Fn(&[u8; WORD + 3], &mut [u32; WORD]),
    ) {
        let mut carried = 0;
        let mut found = [0; WORD];
        for (i, word) in bytes.chunks(WORD).enumerate() {
            let printable = match word.first_chunk::<WORD>() {
                Some(word) => printable(word),
                None => {
                    let mut padded = [0; WORD];
                    padded[..word.len()].copy_from_slice(word);
                    printable(&padded)
                }
            };
            // Bit `BEFORE + j` is byte j of the word; the bits below are the bytes before the word.
            let all = u128::from(printable) << BEFORE | carried;
            // Ends of runs of two, of four, of six.
            let two = all & all << 1;
            let run = two & two << 2 & two << 4;
            carried = all >> WORD;
            const { assert!(TEXT_RUN == 6) };
            let mut ends = (run >> BEFORE) as u64;
            if ends == 0 {
                continue;
            }
            // A gram that ends in this word may start in the previous one.
            let from = (i * WORD).wrapping_sub(3);
            match bytes.get(from..).and_then(<[u8]>::first_chunk::<{ WORD + 3 }>) {
                Some(with_before) => bins(with_before, &mut found),
                None => {
                    let mut padded = [0; WORD + 3];
                    let before = bytes.get(from..i * WORD).unwrap_or_default();
                    padded[3 - before.len()..3].copy_from_slice(before);
                    padded[3..3 + word.len()].copy_from_slice(word);
                    bins(&padded, &mut found);
                }
            }
            while ends != 0 {
                let (mut n, mut increments) = self.counts.reserve(ends.count_ones() as usize);
                while n > 0 {
                    increments.add(found[ends.trailing_zeros() as usize % WORD] as u16);
                    ends &= ends - 1;
                    n -= 1;
                }
            }
        }
    }
}

/// The bin of a gram: the upper twelve bits of Knuth's multiplicative hash.
pub fn bin(gram: [u8; 4]) -> u16 {
    (u32::from_be_bytes(gram).wrapping_mul(FACTOR) >> 20) as u16
}

const FACTOR: u32 = 0x9e37_79b1;

/// A bit for each byte, set if it is in `0x20..0x7f`; the lowest bit is the first byte.
fn printable(bytes: &[u8; WORD]) -> u64 {
    bytes.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from((0x20..0x7f).contains(byte)))
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{FACTOR, GramCounts, WORD};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm256_andnot_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
        _mm256_cmpgt_epi8, _mm256_movemask_epi8, _mm256_mullo_epi32, _mm256_set1_epi8, _mm256_set1_epi32,
        _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_srli_epi32,
    };

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn count_runs(counts: &mut GramCounts, bytes: &[u8]) {
        counts.count_runs_with(bytes, |word| printable(word), |bytes, bins| grams(bytes, bins));
    }

    /// A bit for each byte, set if it is in `0x20..0x7f`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn printable(bytes: &[u8; WORD]) -> u64 {
        let halves = bytemuck::cast::<[u8; WORD], [__m256i; 2]>(*bytes);
        let [low, high] = halves.map(|v| {
            // A signed comparison: bytes from 0x80 on are negative.
            let from_space = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(0x1f));
            let delete = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f));
            _mm256_movemask_epi8(_mm256_andnot_si256(delete, from_space)) as u32
        });
        u64::from(low) | u64::from(high) << 32
    }

    /// The bin of each gram.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn grams(bytes: &[u8; WORD + 3], bins: &mut [u32; WORD]) {
        // The grams that start at the first four bytes, and at the next four; each in reverse byte order.
        #[rustfmt::skip]
        let order = _mm256_setr_epi8(
            3, 2, 1, 0, 4, 3, 2, 1, 5, 4, 3, 2, 6, 5, 4, 3,
            7, 6, 5, 4, 8, 7, 6, 5, 9, 8, 7, 6, 10, 9, 8, 7,
        );
        for (eight, bins) in bins.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut from = [0; 16];
            let bytes = &bytes[8 * eight..];
            match bytes.first_chunk::<16>() {
                Some(bytes) => from = *bytes,
                None => from[..11].copy_from_slice(&bytes[..11]),
            }
            let from = bytemuck::cast::<[u8; 16], __m128i>(from);
            let grams = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(from), order);
            let hashed = _mm256_mullo_epi32(grams, _mm256_set1_epi32(FACTOR as i32));
            *bins = bytemuck::cast::<__m256i, [u32; 8]>(_mm256_srli_epi32::<20>(hashed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::counts::{BINS, tests::drained};

    #[test]
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "calls functions compiled for AVX2")]
    fn avx2_equals_the_reference() {
        if !std::arch::is_x86_feature_detected!("avx2") {
            return;
        }
        for byte in 0..=255_u8 {
            for place in [0, 7, 8, 63] {
                let mut bytes = [0; WORD];
                bytes[place] = byte;
                // SAFETY: the processor has AVX2, as checked above.
                let found = unsafe { avx2::printable(&bytes) };
                assert_eq!(found, printable(&bytes), "{byte} {place}");
                assert_eq!(found, u64::from((0x20..0x7f).contains(&byte)) << place);
            }
        }
        let bytes: [u8; WORD + 3] = std::array::from_fn(|i| (i * i * 7) as u8);
        let mut bins = [0; WORD];
        // SAFETY: the processor has AVX2, as checked above.
        unsafe { avx2::grams(&bytes, &mut bins) };
        let want: Vec<u32> = bytes.windows(4).map(|w| u32::from(bin(w.try_into().unwrap()))).collect();
        assert_eq!(bins[..], want);
    }

    #[test]
    fn counts_equal_the_definition_for_any_chunks() {
        let mut bytes =
            b"sklearn.utils\0\x01\x02short\0exactly\xffa very long line without an end ".repeat(90);
        bytes.extend((0..20_000_u32).map(|i| ((i * i) >> 5) as u8));
        let (mut want, mut run) = (vec![0_u32; BINS], 0);
        for (i, byte) in bytes.iter().enumerate() {
            run = if (0x20..0x7f).contains(byte) { run + 1 } else { 0 };
            if run >= TEXT_RUN {
                want[bin(*bytes[i - 3..].first_chunk().unwrap()) as usize] += 1;
            }
        }
        assert!(want.iter().sum::<u32>() > 1000);
        for chunk in [1, 2, 4, 5, 6, 63, 64, 65, 1000, bytes.len()] {
            let mut counts = GramCounts::new();
            bytes.chunks(chunk).for_each(|bytes| counts.count(bytes));
            assert_eq!(drained(&mut counts.counts), want, "{chunk}");
        }
    }
}
