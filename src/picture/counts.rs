//! Counts: how often each of [`BINS`] things occurred in a part of a file. They are narrow, so that all of
//! them stay in the nearest cache, and are added up elsewhere before one can overflow.

/// Things that are told apart.
pub const BINS: usize = 64 * 64;
/// Bins, and places behind them that nobody reads; a power of two, so that an index needs no check.
const SLOTS: usize = 2 * BINS;
/// So many may be counted before the narrow counts are added up.
const ROOM: usize = u16::MAX as usize;

/// How often each thing occurred.
#[derive(Debug)]
pub struct Counts {
    narrow: Box<[u16; SLOTS]>,
    /// Counted since the narrow counts were added up.
    counted: usize,
    wide: Box<[u32; BINS]>,
    /// Whether anything was added to the wide counts.
    spilled: bool,
}

impl Counts {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { narrow: Box::new([0; SLOTS]), counted: 0, wide: Box::new([0; BINS]), spilled: false }
    }

    /// Room for counting up to `n` things, at least one; says how many of them.
    pub fn room(&mut self, n: usize) -> (usize, Room<'_>) {
        if self.counted == ROOM {
            self.spill();
        }
        let n = n.min(ROOM - self.counted);
        self.counted += n;
        (n, Room(&mut self.narrow))
    }

    /// `n` more of the thing in bin 0.
    pub fn add_first(&mut self, n: u32) {
        self.wide[0] += n;
        self.spilled |= n > 0;
    }

    fn spill(&mut self) {
        for (wide, narrow) in self.wide.iter_mut().zip(self.narrow.iter_mut()) {
            *wide += u32::from(std::mem::take(narrow));
        }
        self.counted = 0;
        self.spilled = true;
    }

    /// Gives all counts in order, 64 at a time, with a bit for each that is not 0; and begins again.
    pub fn drain(&mut self, mut take: impl FnMut(u64, &[u32; 64])) {
        let mut counts = [0; 64];
        for (narrow, wide) in self.narrow.as_chunks_mut().0.iter_mut().zip(self.wide.as_chunks_mut::<64>().0)
        {
            let mut some = above_zero(narrow);
            for (count, narrow) in counts.iter_mut().zip(narrow.iter()) {
                *count = u32::from(*narrow);
            }
            narrow.fill(0);
            if self.spilled {
                some = 0;
                for (i, (count, wide)) in counts.iter_mut().zip(wide).enumerate() {
                    *count += std::mem::take(wide);
                    some |= u64::from(*count != 0) << i;
                }
            }
            take(some, &counts);
        }
        self.counted = 0;
        self.spilled = false;
    }
}

/// Room for so many counts as was asked for.
pub struct Room<'a>(&'a mut [u16; SLOTS]);

impl Room<'_> {
    /// One more of a bin below [`BINS`]. From there on it is counted where nobody looks.
    #[inline(always)]
    pub fn add(&mut self, bin: u16) {
        let count = &mut self.0[bin as usize % SLOTS];
        *count = count.wrapping_add(1);
    }
}

/// A bit for each count that is not 0, the first the lowest.
#[inline(always)]
fn above_zero(counts: &[u16; 64]) -> u64 {
    let mut some = [0_u8; 64];
    for (some, count) in some.iter_mut().zip(counts) {
        *some = u8::from(*count != 0);
    }
    // Brings eight bits together in the topmost byte, in order.
    let eight = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    some.as_chunks::<8>().0.iter().rev().fold(0, |bits, bytes| bits << 8 | eight(bytes))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    #[test]
    fn above_zero_is_what_it_says() {
        for place in 0..64 {
            for count in [1, 2, 0x7fff, 0x8000, 0xffff] {
                let mut counts = [0; 64];
                counts[place] = count;
                assert_eq!(above_zero(&counts), 1 << place, "{place} {count}");
                counts.fill(count);
                counts[place] = 0;
                assert_eq!(above_zero(&counts), !(1 << place), "{place} {count}");
            }
        }
    }

    /// All counts, in order.
    pub fn drained(counts: &mut Counts) -> Vec<u32> {
        let mut out = Vec::new();
        counts.drain(|some, counts| {
            for (i, count) in counts.iter().enumerate() {
                assert_eq!(some >> i & 1 == 1, *count > 0);
            }
            out.extend(counts);
        });
        assert_eq!(out.len(), BINS);
        out
    }

    #[test]
    fn no_count_overflows_and_draining_begins_again() {
        let mut counts = Counts::new();
        for _ in 0..2 {
            let mut left = 3 * ROOM + 5;
            while left > 0 {
                let (n, mut room) = counts.room(left);
                (0..n).for_each(|_| room.add(4095));
                left -= n;
            }
            counts.add_first(7);
            let mut want = vec![0; BINS];
            (want[0], want[4095]) = (7, 3 * ROOM as u32 + 5);
            assert_eq!(drained(&mut counts), want);
            assert!(drained(&mut counts).iter().all(|count| *count == 0));
        }
    }
}
