//! Byte pairs: how often the upper six bits of one byte are followed by the upper six bits of the next (after Conti
//! and Dean, "Visual reverse engineering", 2008).

use super::counts::{BINS, Counts, Increments};
use crate::numeric::wide;
use pulp::NullaryFnOnce;

/// Pairs whose bins are computed together.
const BLOCK: usize = 512;

/// Counts pairs across chunks.
#[derive(Debug)]
pub struct PairCounts {
    previous: Option<u8>,
    /// How often each pair occurred.
    pub counts: Counts,
}

impl PairCounts {
    /// Counters at the start of a file.
    pub fn new() -> Self {
        Self { previous: None, counts: Counts::new() }
    }

    /// Counts the pairs of the next bytes of the file; returns how many there are.
    pub fn count(&mut self, bytes: &[u8]) -> u64 {
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
            return 0;
        };
        let mut pairs = bytes.len() as u64 - 1;
        if let Some(previous) = self.previous.replace(*last) {
            self.count_within(&[previous, *first]);
            pairs += 1;
        }
        self.count_within(bytes);
        pairs
    }

    /// Forgets the last byte, so that the next bytes start a new file.
    pub fn start_file(&mut self) {
        self.previous = None;
    }

    fn count_within(&mut self, mut bytes: &[u8]) {
        while bytes.len() > 1 {
            let (n, increments) = self.counts.reserve(bytes.len() - 1);
            let zeros = wide(CountPairs { bytes: &bytes[..=n], increments });
            self.counts.add_to_first(zeros);
            bytes = &bytes[n..];
        }
    }
}

/// The bin of a pair, below [`BINS`].
#[inline(always)]
fn bin(first: u8, second: u8) -> u16 {
    u16::from(first & 0xfc) << 4 | u16::from(second) >> 2
}

/// Counts all pairs of `bytes`. Pairs of bin 0 are returned and not counted in `increments`.
struct CountPairs<'a> {
    bytes: &'a [u8],
    increments: Increments<'a>,
}

impl NullaryFnOnce for CountPairs<'_> {
    type Output = u32;

    #[inline(always)]
    fn call(self) -> u32 {
        let Self { bytes, mut increments } = self;
        let mut zeros = 0_u32;
        let pairs = bytes.len().saturating_sub(1);
        let (firsts, seconds) = (bytes[..pairs].as_chunks::<BLOCK>(), bytes[1..].as_chunks::<BLOCK>());
        for (first, second) in firsts.0.iter().zip(seconds.0) {
            let mut bins = [0_u16; BLOCK];
            let mut none = 0_u16;
            for (lane, out) in bins.iter_mut().enumerate() {
                let found = bin(first[lane], second[lane]);
                // Files are full of zeros. Increments of a single slot would wait for each other, so zeros are
                // spread over the unused slots and counted in a register.
                *out = if found == 0 { (BINS + lane % 64) as u16 } else { found };
                none += u16::from(found == 0);
            }
            zeros += u32::from(none);
            bins.iter().for_each(|bin| increments.add(*bin));
        }
        for (first, second) in firsts.1.iter().zip(seconds.1) {
            let found = bin(*first, *second);
            zeros += u32::from(found == 0);
            increments.add(if found == 0 { BINS as u16 } else { found });
        }
        zeros
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::counts::tests::drained;

    #[test]
    fn every_pair_is_counted_once_for_any_chunks() {
        // Zeros, runs, and more of one pair than a 16-bit count holds.
        let mut bytes: Vec<u8> = (0..70_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        bytes.extend(vec![0; 200_000]);
        bytes.extend(vec![0x90; 200_001]);
        bytes.extend([1, 2, 3, 255, 0, 0, 4]);
        let mut want = vec![0_u32; BINS];
        bytes.windows(2).for_each(|w| want[(w[0] as usize >> 2) * 64 + (w[1] as usize >> 2)] += 1);
        for chunk in [1, 2, 63, 64, 65, 4097, 65_535, 65_536, 65_537, bytes.len()] {
            let mut counts = PairCounts::new();
            let pairs: u64 = bytes.chunks(chunk).map(|bytes| counts.count(bytes)).sum();
            assert_eq!(pairs, bytes.len() as u64 - 1);
            assert_eq!(drained(&mut counts.counts), want, "{chunk}");
            assert_eq!(counts.count(&[4]), 1);
            assert_eq!(
                drained(&mut counts.counts)[65],
                1,
                "the last byte of one chunk and the first of the next"
            );
        }
    }
}
