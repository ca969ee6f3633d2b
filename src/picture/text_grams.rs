//! Text grams: how often each four bytes in a row occur in runs of printable text, hashed into as many
//! bins as there are levels (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning",
//! 2009). Names of modules, messages and imports are what the files of one family share.

use super::counts::Counts;

/// Printable bytes in a row from which on they count as text: shorter runs are chance, in code.
const TEXT_RUN: usize = 6;
/// Bytes looked at together.
const WORD: usize = 64;
/// What has to be known of the bytes before.
const BEFORE: usize = TEXT_RUN - 1;

/// Counts text grams across chunks.
#[derive(Debug)]
pub struct GramCounts {
    /// The last bytes, preceded by zeros at the start: no text.
    before: [u8; BEFORE],
    /// How often each gram occurred.
    pub counts: Counts,
}

impl GramCounts {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { before: [0; BEFORE], counts: Counts::new() }
    }

    /// The next bytes.
    pub fn count(&mut self, bytes: &[u8]) {
        // The first bytes, whose text may have begun before.
        let mut seam = [0; 2 * BEFORE];
        let some = bytes.len().min(BEFORE);
        seam[..BEFORE].copy_from_slice(&self.before);
        seam[BEFORE..BEFORE + some].copy_from_slice(&bytes[..some]);
        self.runs(&seam[..BEFORE + some]);
        self.runs(bytes);
        if some == BEFORE {
            self.before.copy_from_slice(&bytes[bytes.len() - BEFORE..]);
        } else {
            self.before.copy_from_slice(&seam[some..some + BEFORE]);
        }
    }

    /// Counts the grams that end where at least [`TEXT_RUN`] bytes of `bytes` up to there are printable.
    fn runs(&mut self, bytes: &[u8]) {
        let mut carried = 0;
        for (i, word) in bytes.chunks(WORD).enumerate() {
            let printable = match word.first_chunk::<WORD>() {
                Some(word) => printable(word),
                None => {
                    let mut padded = [0; WORD];
                    padded[..word.len()].copy_from_slice(word);
                    printable(&padded)
                }
            };
            // Bit `BEFORE + j` is byte j of the word; below are those before it.
            let all = u128::from(printable) << BEFORE | carried;
            // Ends of runs of two, of four, of six.
            let two = all & all << 1;
            let run = two & two << 2 & two << 4;
            carried = all >> WORD;
            const { assert!(TEXT_RUN == 6) };
            let mut ends = (run >> BEFORE) as u64;
            while ends != 0 {
                let (mut n, mut room) = self.counts.room(ends.count_ones() as usize);
                while n > 0 {
                    let end = i * WORD + ends.trailing_zeros() as usize;
                    // Always there: a run is longer than a gram.
                    if let Some(gram) = bytes.get(end.wrapping_sub(3)..).and_then(<[u8]>::first_chunk) {
                        room.add(bin(*gram));
                    }
                    ends &= ends - 1;
                    n -= 1;
                }
            }
        }
    }
}

/// The bin of a gram: Knuth's multiplicative hash, of which the upper twelve bits are kept.
pub fn bin(gram: [u8; 4]) -> u16 {
    (u32::from_be_bytes(gram).wrapping_mul(0x9e37_79b1) >> 20) as u16
}

/// A bit for each byte of `0x20..0x7f`, the first the lowest.
fn printable(bytes: &[u8; WORD]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let eight = |bytes: &[u8; 8]| {
        let x = u64::from_le_bytes(*bytes);
        let low = x & LOW;
        // The upper bit of each byte: at least 0x20, not at least 0x7f, below 0x80. No sum carries over.
        let yes = (low + 0x60 * ONES) & !(low + ONES) & !x & (0x80 * ONES);
        // Brings the eight bits together in the topmost byte, in order.
        (yes >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    };
    bytes.as_chunks::<8>().0.iter().rev().fold(0, |bits, bytes| bits << 8 | eight(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::counts::{BINS, tests::drained};

    #[test]
    fn printable_is_what_it_says() {
        for byte in 0..=255_u8 {
            for place in [0, 7, 8, 63] {
                let mut bytes = [0; WORD];
                bytes[place] = byte;
                let want = u64::from((0x20..0x7f).contains(&byte)) << place;
                assert_eq!(printable(&bytes), want, "{byte} {place}");
            }
        }
        assert_eq!(printable(&[b'a'; WORD]), u64::MAX);
    }

    #[test]
    fn counts_are_those_of_the_definition_whatever_the_chunks() {
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
