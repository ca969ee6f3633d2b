//! Counts: how often each of [`BINS`] values (byte pairs or text grams) occurs in a segment of a file. The counts
//! being incremented have 16 bits, so that all of them fit in the first-level cache; they are added to wider
//! counts before any of them can overflow.

/// Bins of a histogram.
pub const BINS: usize = 64 * 64;
/// Bins, and unused slots behind them; a power of two, so that an index needs no bounds check.
const SLOTS: usize = 2 * BINS;
/// Increments that fit before the narrow counts are added to the wide ones.
const ROOM: usize = u16::MAX as usize;
/// Bins of one [`Row`].
pub const ROW: usize = 64;

/// A histogram of [`BINS`] bins.
#[derive(Debug)]
pub struct Counts {
    narrow: Box<[u16; SLOTS]>,
    /// Increments since the narrow counts were last added to the wide ones.
    counted: usize,
    wide: Box<[u32; BINS]>,
    /// Counts of bin 0, which are kept apart.
    first: u32,
    /// Whether the wide counts hold anything.
    spilled: bool,
}

impl Counts {
    /// A histogram with all counts zero.
    pub fn new() -> Self {
        Self { narrow: Box::new([0; SLOTS]), counted: 0, wide: Box::new([0; BINS]), first: 0, spilled: false }
    }

    /// Reserves room for up to `n` increments and at least one; returns how many.
    pub fn reserve(&mut self, n: usize) -> (usize, Increments<'_>) {
        if self.counted == ROOM {
            self.spill();
        }
        let n = n.min(ROOM - self.counted);
        self.counted += n;
        (n, Increments(&mut self.narrow))
    }

    /// Adds `n` to bin 0.
    pub fn add_to_first(&mut self, n: u32) {
        self.first += n;
    }

    fn spill(&mut self) {
        for (wide, narrow) in self.wide.iter_mut().zip(self.narrow.iter_mut()) {
            *wide += u32::from(std::mem::take(narrow));
        }
        self.counted = 0;
        self.spilled = true;
    }

    /// Passes all counts to `take` in order, a row at a time, and resets them to zero.
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

/// The counts of [`ROW`] neighbouring bins.
pub enum Row<'a> {
    /// Of a segment with few counts, as in most files.
    Narrow(&'a [u16; ROW]),
    /// Of any other segment.
    Wide(&'a [u32; ROW]),
}

/// The increments reserved by [`Counts::reserve`].
pub struct Increments<'a>(&'a mut [u16; SLOTS]);

impl Increments<'_> {
    /// Adds one to `bin`. Bins from [`BINS`] on are unused slots, which nobody reads.
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
    fn no_count_overflows_and_draining_resets() {
        let mut counts = Counts::new();
        for _ in 0..2 {
            let mut left = 3 * ROOM + 5;
            while left > 0 {
                let (n, mut increments) = counts.reserve(left);
                (0..n).for_each(|_| increments.add(4095));
                left -= n;
            }
            counts.add_to_first(7);
            let mut want = vec![0; BINS];
            (want[0], want[4095]) = (7, 3 * ROOM as u32 + 5);
            assert_eq!(drained(&mut counts), want);
            assert!(drained(&mut counts).iter().all(|count| *count == 0));
        }
    }
}
