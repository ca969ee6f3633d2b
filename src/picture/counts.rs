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
    /// Counted in bin 0 by themselves.
    first: u32,
    /// Whether anything was added to the wide counts.
    spilled: bool,
}

impl Counts {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { narrow: Box::new([0; SLOTS]), counted: 0, wide: Box::new([0; BINS]), first: 0, spilled: false }
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
        self.first += n;
    }

    fn spill(&mut self) {
        for (wide, narrow) in self.wide.iter_mut().zip(self.narrow.iter_mut()) {
            *wide += u32::from(std::mem::take(narrow));
        }
        self.counted = 0;
        self.spilled = true;
    }

    /// Gives all counts in order, [`TOGETHER`] at a time; and begins again.
    pub fn drain(&mut self, mut take: impl FnMut(Row<'_>)) {
        self.wide[0] += self.first;
        let mut beyond = self.spilled || self.first > 0;
        for (narrow, wide) in self.narrow.as_chunks_mut().0.iter_mut().zip(self.wide.as_chunks_mut().0) {
            if beyond {
                for (wide, narrow) in wide.iter_mut().zip(narrow.iter()) {
                    *wide += u32::from(*narrow);
                }
                take(Row::Wide(wide));
                wide.fill(0);
            } else {
                take(Row::Narrow(narrow));
            }
            narrow.fill(0);
            beyond = self.spilled;
        }
        self.first = 0;
        self.counted = 0;
        self.spilled = false;
    }
}

/// Counts that are given together.
pub const TOGETHER: usize = 64;

/// A row of the counts.
pub enum Row<'a> {
    /// Of a part in which little was counted, as in most files.
    Narrow(&'a [u16; TOGETHER]),
    /// Of any other.
    Wide(&'a [u32; TOGETHER]),
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

#[cfg(test)]
pub mod tests {
    use super::*;

    /// All counts, in order.
    pub fn drained(counts: &mut Counts) -> Vec<u32> {
        let mut out = Vec::new();
        counts.drain(|row| match row {
            Row::Narrow(counts) => out.extend(counts.iter().map(|count| u32::from(*count))),
            Row::Wide(counts) => out.extend(counts),
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
