//! Text grams: each four consecutive characters of printable text, hashed into bins (Weinberger et al., "Feature
//! Hashing for Large Scale Multitask Learning", 2009). The files of one family share names of modules, messages and
//! imports.
//!
//! They are counted twice: into as many bins as there are levels, for the plane of text grams, and into [`TextBins`],
//! for the text view of the whole file. Only the second counts wide text too (UTF-16 of printable ASCII), since the
//! values of a plane never change.
//!
//! [`TextBins`]: crate::view::TextBins

use super::counts::Counts;
use crate::view::{TextBins, TextCounts, gram_hash as hash, text_bin};

/// The shortest run of printable characters that counts as text: code contains shorter runs by chance.
const TEXT_RUN: usize = 6;
/// Bytes processed together.
const WORD: usize = 64;
/// Bytes of the previous chunk that are needed: a run of wide text, but for its last byte.
const BEFORE: usize = 2 * TEXT_RUN - 1;
/// Bits of the bins of the plane.
const PLANE_BITS: u32 = 12;

/// What grams are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// For the plane of text grams.
    pub plane: bool,
    /// For the text view.
    pub text: bool,
}

impl Wanted {
    /// For both.
    pub const ALL: Self = Self { plane: true, text: true };
}

/// Counts text grams across chunks.
#[derive(Debug)]
pub struct GramCounts {
    /// What they are counted for in this file.
    pub wanted: Wanted,
    /// The last bytes, after zeros at the start of a file, which are not text.
    before: [u8; BEFORE],
    /// How often each gram occurred in the current segment.
    pub counts: Counts,
    /// How often each gram occurred in the file.
    pub text: TextCounts,
}

impl GramCounts {
    /// Counters at the start of a file.
    pub fn new() -> Self {
        Self { wanted: Wanted::ALL, before: [0; BEFORE], counts: Counts::new(), text: TextCounts::new() }
    }

    /// Counts the grams of the next bytes of the file.
    pub fn count(&mut self, bytes: &[u8]) {
        match self.wanted {
            Wanted { plane: true, text: true } => self.count_runs::<true, true>(bytes),
            Wanted { plane: true, text: false } => self.count_runs::<true, false>(bytes),
            Wanted { plane: false, text: true } => self.count_runs::<false, true>(bytes),
            Wanted { plane: false, text: false } => return,
        }
        match bytes.last_chunk() {
            Some(last) => self.before = *last,
            None => {
                self.before.copy_within(bytes.len().., 0);
                self.before[BEFORE - bytes.len()..].copy_from_slice(bytes);
            }
        }
    }

    /// Forgets the last bytes, so that the next bytes start a new file.
    pub fn start_file(&mut self) {
        self.before = [0; BEFORE];
    }

    /// Counts the grams that end in `bytes` and in a run of text of at least [`TEXT_RUN`] characters.
    fn count_runs<const PLANE: bool, const TEXT: bool>(&mut self, bytes: &[u8]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("popcnt")
        {
            #[allow(unsafe_code, reason = "calls a function compiled for AVX2")]
            // SAFETY: the processor has AVX2, BMI1 and POPCNT, as just checked.
            return unsafe { avx2::count_runs::<PLANE, TEXT>(self, bytes) };
        }
        self.count_runs_with::<PLANE, TEXT>(bytes, masks, |bytes, hashes| {
            for (gram, hash_of) in bytes.windows(4).zip(hashes) {
                *hash_of = gram.first_chunk().map_or(0, |gram| hash(*gram));
            }
        });
    }

    /// The same, with functions that find the printable bytes and the zeros, and the hashes of the grams.
    #[inline(always)]
    fn count_runs_with<const PLANE: bool, const TEXT: bool>(
        &mut self,
        bytes: &[u8],
        masks: impl Fn(&[u8; WORD]) -> (u64, u64),
        hashes: impl Fn(&[u8; WORD + 3], &mut [u32; WORD]),
    ) {
        let mut found = [0; WORD];
        let mut first = [0; WORD];
        first[WORD - BEFORE..].copy_from_slice(&self.before);
        // Bit `BEFORE + j` is byte j of the word; the bits below are the bytes before the word.
        let carry = |mask: u64| u128::from(mask >> (WORD - BEFORE));
        let (mut carried, mut carried_zeros) = {
            let (printable, zeros) = masks(&first);
            (carry(printable), carry(zeros))
        };
        let mut before: &[u8] = &first[WORD - BEFORE..];
        for word in bytes.chunks(WORD) {
            let (printable, zeros) = match word.first_chunk::<WORD>() {
                Some(word) => masks(word),
                None => {
                    let mut padded = [0xff; WORD];
                    padded[..word.len()].copy_from_slice(word);
                    masks(&padded)
                }
            };
            let all = u128::from(printable) << BEFORE | carried;
            let zeros = u128::from(zeros) << BEFORE | carried_zeros;
            (carried, carried_zeros) = (all >> WORD, zeros >> WORD);
            const { assert!(TEXT_RUN == 6) };
            // Ends of runs of two, and of six.
            let two = all & all << 1;
            let mut ends = ((two & two << 2 & two << 4) >> BEFORE) as u64;
            // The same of wide characters, which end with a zero.
            let wide = zeros & all << 1;
            let two_wide = wide & wide << 2;
            let mut wide_ends = ((two_wide & two_wide << 4 & two_wide << 8) >> BEFORE) as u64;
            while TEXT && wide_ends != 0 {
                let end = wide_ends.trailing_zeros() as usize + BEFORE;
                let byte = |at: usize| before.get(at).or_else(|| word.get(at - BEFORE)).copied().unwrap_or(0);
                let gram = [byte(end - 7), byte(end - 5), byte(end - 3), byte(end - 1)];
                self.text.add(text_bin(hash(gram)));
                wide_ends &= wide_ends - 1;
            }
            if ends != 0 {
                let mut with_before = [0; WORD + 3];
                with_before[..3].copy_from_slice(before.last_chunk::<3>().unwrap_or(&[0; 3]));
                with_before[3..3 + word.len()].copy_from_slice(word);
                hashes(&with_before, &mut found);
            }
            if !PLANE {
                while ends != 0 {
                    self.text.add(text_bin(found[ends.trailing_zeros() as usize % WORD]));
                    ends &= ends - 1;
                }
            }
            while ends != 0 {
                let (mut n, mut increments) = self.counts.reserve(ends.count_ones() as usize);
                while n > 0 {
                    let hash = found[ends.trailing_zeros() as usize % WORD];
                    increments.add(plane_bin(hash));
                    if TEXT {
                        self.text.add(text_bin(hash));
                    }
                    ends &= ends - 1;
                    n -= 1;
                }
            }
            before = word.get(WORD - BEFORE..).unwrap_or_default();
        }
    }
}

/// The grams of the text of bytes in memory.
pub fn text_of(bytes: &[u8]) -> TextBins {
    let mut counts = GramCounts { wanted: Wanted { plane: false, text: true }, ..GramCounts::new() };
    counts.count(bytes);
    counts.text.drain()
}

/// The bin in the plane: the upper bits.
fn plane_bin(hash: u32) -> u16 {
    (hash >> (32 - PLANE_BITS)) as u16
}

/// The bin of a gram in the plane.
#[cfg(test)]
pub fn bin(gram: [u8; 4]) -> u16 {
    plane_bin(hash(gram))
}

/// A bit for each byte, the lowest for the first: set if it is in `0x20..0x7f`, and set if it is zero.
fn masks(bytes: &[u8; WORD]) -> (u64, u64) {
    let mask = |is: fn(&u8) -> bool| bytes.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(is(byte)));
    (mask(|byte| (0x20..0x7f).contains(byte)), mask(|byte| *byte == 0))
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{GramCounts, WORD};
    use crate::view::FACTOR;
    use std::arch::x86_64::{
        __m128i, __m256i, _mm256_andnot_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
        _mm256_cmpgt_epi8, _mm256_movemask_epi8, _mm256_mullo_epi32, _mm256_set1_epi8, _mm256_set1_epi32,
        _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    };

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn count_runs<const PLANE: bool, const TEXT: bool>(counts: &mut GramCounts, bytes: &[u8]) {
        counts.count_runs_with::<PLANE, TEXT>(bytes, |word| masks(word), |bytes, found| hashes(bytes, found));
    }

    /// A bit for each byte: set if it is in `0x20..0x7f`, and set if it is zero.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn masks(bytes: &[u8; WORD]) -> (u64, u64) {
        let [low, high] = bytemuck::cast::<[u8; WORD], [__m256i; 2]>(*bytes);
        let (low, high) = (masks_of_half(low), masks_of_half(high));
        let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        (join(low.0, high.0), join(low.1, high.1))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn masks_of_half(v: __m256i) -> (u32, u32) {
        // A signed comparison: bytes from 0x80 on are negative.
        let from_space = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(0x1f));
        let delete = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f));
        let zero = _mm256_cmpeq_epi8(v, _mm256_setzero_si256());
        let printable = _mm256_andnot_si256(delete, from_space);
        (_mm256_movemask_epi8(printable) as u32, _mm256_movemask_epi8(zero) as u32)
    }

    /// The hash of each gram.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn hashes(bytes: &[u8; WORD + 3], found: &mut [u32; WORD]) {
        // The grams that start at the first four bytes, and at the next four; each in reverse byte order.
        #[rustfmt::skip]
        let order = _mm256_setr_epi8(
            3, 2, 1, 0, 4, 3, 2, 1, 5, 4, 3, 2, 6, 5, 4, 3,
            7, 6, 5, 4, 8, 7, 6, 5, 9, 8, 7, 6, 10, 9, 8, 7,
        );
        for (eight, found) in found.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut from = [0; 16];
            let bytes = &bytes[8 * eight..];
            match bytes.first_chunk::<16>() {
                Some(bytes) => from = *bytes,
                None => from[..11].copy_from_slice(&bytes[..11]),
            }
            let from = bytemuck::cast::<[u8; 16], __m128i>(from);
            let grams = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(from), order);
            let hashed = _mm256_mullo_epi32(grams, _mm256_set1_epi32(FACTOR as i32));
            *found = bytemuck::cast::<__m256i, [u32; 8]>(hashed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::counts::{BINS, tests::drained};
    use crate::view::TEXT_BINS;

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
                let found = unsafe { avx2::masks(&bytes) };
                assert_eq!(found, masks(&bytes), "{byte} {place}");
                assert_eq!(found.0, u64::from((0x20..0x7f).contains(&byte)) << place);
            }
        }
        let bytes: [u8; WORD + 3] = std::array::from_fn(|i| (i * i * 7) as u8);
        let mut found = [0; WORD];
        // SAFETY: the processor has AVX2, as checked above.
        unsafe { avx2::hashes(&bytes, &mut found) };
        let want: Vec<u32> = bytes.windows(4).map(|w| hash(w.try_into().unwrap())).collect();
        assert_eq!(found[..], want);
    }

    #[test]
    fn counts_equal_the_definition_for_any_chunks() {
        let mut bytes =
            b"sklearn.utils\0\x01\x02short\0exactly\xffa very long line without an end ".repeat(90);
        bytes.extend((0..20_000_u32).map(|i| ((i * i) >> 5) as u8));
        // Wide text at even and odd offsets, one run too short, one that text follows at once.
        for text in ["\u{1}\u{1}ImagePath", "\u{1}odd here\u{0}", "short", "\u{1}Version 1.0"] {
            bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            bytes.extend(b"\x01plain text\x02");
        }
        let is_printable = |byte: &u8| (0x20..0x7f).contains(byte);
        let (mut want, mut run) = (vec![0_u32; BINS], 0);
        let (mut text, mut wide_run, mut wide) = (vec![0_u32; TEXT_BINS], [0; 2], 0);
        for (i, byte) in bytes.iter().enumerate() {
            run = if is_printable(byte) { run + 1 } else { 0 };
            if run >= TEXT_RUN {
                let gram = *bytes[i - 3..].first_chunk().unwrap();
                want[bin(gram) as usize] += 1;
                text[text_bin(hash(gram)) as usize] += 1;
            }
            let wide_run = &mut wide_run[i % 2];
            *wide_run = if *byte == 0 && i > 0 && is_printable(&bytes[i - 1]) { *wide_run + 1 } else { 0 };
            if *wide_run >= TEXT_RUN {
                let gram = [bytes[i - 7], bytes[i - 5], bytes[i - 3], bytes[i - 1]];
                text[text_bin(hash(gram)) as usize] += 1;
                wide += 1;
            }
        }
        assert!(want.iter().sum::<u32>() > 1000);
        assert_eq!(wide, 4 + 3 + 6, "grams of wide text");
        let text: Vec<_> =
            (0..).zip(text).filter(|(_, n)| *n > 0).map(|(bin, n)| (bin, n.min(255) as u8)).collect();
        for chunk in [1, 2, 4, 5, 6, 10, 11, 12, 63, 64, 65, 1000, bytes.len()] {
            let mut counts = GramCounts::new();
            bytes.chunks(chunk).for_each(|bytes| counts.count(bytes));
            assert_eq!(drained(&mut counts.counts), want, "{chunk}");
            let mut found = counts.text.drain().bins;
            found.sort_unstable();
            assert_eq!(found, text, "{chunk}");
            assert!(counts.text.drain().bins.is_empty());
            for wanted in [Wanted { plane: true, text: false }, Wanted { plane: false, text: true }] {
                let mut counts = GramCounts { wanted, ..GramCounts::new() };
                bytes.chunks(chunk).for_each(|bytes| counts.count(bytes));
                assert_eq!(drained(&mut counts.counts) == want, wanted.plane);
                let mut found = counts.text.drain().bins;
                found.sort_unstable();
                assert_eq!(found == text, wanted.text);
            }
        }
    }
}
