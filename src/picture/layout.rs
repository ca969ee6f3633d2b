//! The layout: a file cut into [`CELLS`] equal cells in reading order, with four statistics each: mean
//! byte, share of zeros, share of printable bytes, entropy. Byte values of malware as a picture go back
//! to Nataraj et al., "Malware Images" (VizSec 2011).

use super::small_cells::{SMALL, SmallCells, is_text};
use crate::numeric::wide;
use pulp::NullaryFnOnce;
use std::ops::Range;

/// Cells of a file, 64 rows of 64.
pub const CELLS: usize = 64 * 64;
/// Statistics of a cell.
pub const LAYOUT: usize = 4;
/// Statistics of a cell: mean byte, zeros, printable (text and its white space), entropy (Shannon, of 8
/// bits, or of what so few bytes can reach), each 0 to 255 for 0 to 1.
pub type Statistics = [u8; LAYOUT];

/// The bytes of the file that layout cell `cell` describes, for a file of `size` bytes. Every
/// cell covers at least one byte; in a file of fewer bytes than cells, neighbours share one.
pub fn cell_range(cell: usize, size: u64) -> Range<u64> {
    let at = |cell: usize| match (cell as u64).checked_mul(size) {
        Some(product) => product / CELLS as u64,
        None => (cell as u128 * u128::from(size) / CELLS as u128) as u64,
    };
    let start = at(cell);
    start..at(cell + 1).max(start + 1).min(size.max(1))
}

/// Makes the layout from a file's chunks, in order.
#[derive(Debug)]
pub struct Builder {
    size: u64,
    cells: Vec<Statistics>,
    /// Where the next byte stands, and where its cell ends.
    at: u64,
    cell_end: u64,
    how: How,
    scales: Scales,
}

#[derive(Debug)]
enum How {
    /// Fewer bytes than cells: kept whole, since its cells overlap.
    Whole(Vec<u8>),
    /// Cells of at most [`SMALL`] bytes, and the bytes of the one that is not complete.
    Small(Box<SmallCells>, Vec<u8>),
    /// Larger ones: what was counted of it.
    Large(Box<Histogram>),
}

impl Builder {
    /// For a file of exactly `size` bytes.
    pub fn new(size: u64) -> Self {
        let how = match size {
            ..4096 => How::Whole(Vec::new()),
            _ if size <= (SMALL * CELLS) as u64 => {
                let cells = SmallCells::new((size / CELLS as u64) as usize, CELLS);
                How::Small(Box::new(cells), Vec::with_capacity(SMALL))
            }
            _ => How::Large(Box::default()),
        };
        let cells = Vec::with_capacity(CELLS);
        Self { size, cells, at: 0, cell_end: cell_range(0, size).end, how, scales: Scales::of(size) }
    }

    /// The next bytes; not more than were promised.
    pub fn push(&mut self, bytes: &[u8]) {
        match &mut self.how {
            How::Whole(all) => all.extend_from_slice(bytes),
            How::Small(..) => self.push_small(bytes),
            How::Large(_) => bytes.chunks(BLOCK).for_each(|block| self.push_large(block)),
        }
    }

    fn push_small(&mut self, mut bytes: &[u8]) {
        let How::Small(cells, kept) = &mut self.how else { return };
        while !bytes.is_empty() && cells.len() < CELLS {
            let until = (self.cell_end - self.at) as usize;
            if let Some(lanes) = bytes.first_chunk::<SMALL>()
                && kept.is_empty()
            {
                // The usual case: the cell and more are there.
                let n = until.min(SMALL);
                cells.push(lanes, n);
                self.at += n as u64;
                bytes = &bytes[n..];
            } else {
                let (now, later) = bytes.split_at(bytes.len().min(until));
                kept.extend_from_slice(now);
                self.at += now.len() as u64;
                bytes = later;
                if self.at < self.cell_end {
                    continue;
                }
                cells.push(&lanes(kept), kept.len());
                kept.clear();
            }
            self.cell_end = cell_range(cells.len(), self.size).end;
        }
    }

    /// At most [`BLOCK`] bytes.
    fn push_large(&mut self, mut block: &[u8]) {
        let How::Large(histogram) = &mut self.how else { return };
        let mut places = [0; BLOCK];
        wide(Places { bytes: block, places: &mut places });
        let mut places = &places[..];
        while !block.is_empty() && self.cells.len() < CELLS {
            let until = usize::try_from(self.cell_end - self.at).unwrap_or(usize::MAX);
            let n = block.len().min(until);
            wide(Tally { bytes: &block[..n], places: &places[..n], histogram });
            self.at += n as u64;
            (block, places) = (&block[n..], &places[n..]);
            if n == until {
                self.cells.push(histogram.statistics(&self.scales));
                **histogram = Histogram::default();
                self.cell_end = cell_range(self.cells.len(), self.size).end;
            }
        }
    }

    /// One a cell. What was promised and did not come counts as absent.
    pub fn finish(mut self) -> Box<[Statistics]> {
        match self.how {
            How::Whole(all) => {
                let mut cells = SmallCells::new(1, CELLS);
                for cell in 0..CELLS {
                    let range = cell_range(cell, all.len() as u64);
                    if let Some(bytes) = all.get(range.start as usize..range.end as usize) {
                        cells.push(&lanes(bytes), bytes.len());
                    }
                }
                self.cells = cells.finish();
            }
            How::Small(cells, _) => self.cells = cells.finish(),
            How::Large(_) => {}
        }
        self.cells.resize(CELLS, [0; LAYOUT]);
        self.cells.into_boxed_slice()
    }
}

/// What the statistics of cells of `n` bytes have in common.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// 1 / n.
    one: f64,
    /// log₂ n.
    log: f64,
    /// 255 / the most entropy that n bytes can have.
    entropy: f64,
}

impl Scale {
    fn of(n: u64) -> Self {
        let log = (n.max(1) as f64).log2();
        let entropy = if n > 1 { 255.0 / log.min(8.0) } else { 0.0 };
        Self { one: 1.0 / n.max(1) as f64, log, entropy }
    }
}

/// The cells of a file have one of two sizes, `least` bytes or one more.
#[derive(Debug)]
struct Scales {
    least: u64,
    of: [Scale; 2],
}

impl Scales {
    fn of(size: u64) -> Self {
        let least = (size / CELLS as u64).max(1);
        Self { least, of: [Scale::of(least), Scale::of(least + 1)] }
    }

    /// For `n` bytes with this sum, so many zeros and printable ones, and Σ c·log₂ c over how often each
    /// value occurs.
    fn statistics(&self, n: u64, total: u64, zeros: u64, printable: u64, terms: f64) -> Statistics {
        let Some(scale) = n.checked_sub(self.least).and_then(|more| self.of.get(more as usize)) else {
            return [0; LAYOUT];
        };
        // A hair above a half, so that a tie goes up although it was multiplied, not divided.
        let level = |v: f64| (v + 0.500_000_001) as u8;
        let share = scale.one * 255.0;
        [
            level(total as f64 * scale.one),
            level(zeros as f64 * share),
            level(printable as f64 * share),
            level((scale.log - terms * scale.one) * scale.entropy),
        ]
    }
}

/// At most [`SMALL`] bytes, filled up.
fn lanes(bytes: &[u8]) -> [u8; SMALL] {
    let mut lanes = [0; SMALL];
    lanes.iter_mut().zip(bytes).for_each(|(lane, byte)| *lane = *byte);
    lanes
}

/// Bytes of large cells that are looked at together.
const BLOCK: usize = 1024;
/// Places for zeros behind those of the other values.
const ASIDE: usize = 64;

/// Where each byte is counted: files are full of zeros, and to count them in one place would have each
/// wait for the one before.
struct Places<'a> {
    bytes: &'a [u8],
    places: &'a mut [u16; BLOCK],
}

impl NullaryFnOnce for Places<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (place, (i, byte)) in self.places.iter_mut().zip(self.bytes.iter().enumerate()) {
            *place = if *byte == 0 { 256 + (i % ASIDE) as u16 } else { u16::from(*byte) };
        }
    }
}

/// How often each value occurs in a cell.
#[derive(Debug)]
struct Histogram {
    bytes: u64,
    total: u64,
    printable: u64,
    zeros: u64,
    /// Of all values but zero; and behind them.
    table: [u32; 256 + ASIDE],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { bytes: 0, total: 0, printable: 0, zeros: 0, table: [0; 256 + ASIDE] }
    }
}

impl Histogram {
    fn statistics(&self, scales: &Scales) -> Statistics {
        let table = terms_table();
        let mut terms = if self.zeros > 1 { self.zeros as f64 * (self.zeros as f64).log2() } else { 0.0 };
        let mut sum = 0_u64;
        for count in &self.table[1..256] {
            match table.get(*count as usize) {
                Some(term) => sum += term,
                None => terms += f64::from(*count) * f64::from(*count).log2(),
            }
        }
        terms += sum as f64 / TERM_UNIT;
        scales.statistics(self.bytes, self.total, self.zeros, self.printable, terms)
    }
}

const TERMS: usize = 1024;
/// Terms are added as whole numbers, so that the order does not matter.
const TERM_UNIT: f64 = (1_u64 << 40) as f64;

/// n·log₂ n, in [`TERM_UNIT`]s.
fn terms_table() -> &'static [u64; TERMS] {
    static TABLE: std::sync::OnceLock<Box<[u64; TERMS]>> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| {
        Box::new(std::array::from_fn(|n| (n as f64 * (n.max(1) as f64).log2() * TERM_UNIT).round() as u64))
    })
}

/// Adds bytes, and where they are counted, to a histogram.
struct Tally<'a> {
    bytes: &'a [u8],
    places: &'a [u16],
    histogram: &'a mut Histogram,
}

impl NullaryFnOnce for Tally<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Histogram { bytes, total, printable, zeros, table } = self.histogram;
        *bytes += self.bytes.len() as u64;
        let (mut none, mut text, mut sum) = (0_u32, 0_u32, 0_u32);
        for byte in self.bytes {
            none += u32::from(*byte == 0);
            text += u32::from(is_text(*byte));
            sum += u32::from(*byte);
        }
        *zeros += u64::from(none);
        *printable += u64::from(text);
        *total += u64::from(sum);
        for place in self.places {
            if let Some(count) = table.get_mut(*place as usize) {
                *count += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, before it is rounded.
    fn naive(bytes: &[u8]) -> [f64; LAYOUT] {
        let n = bytes.len() as f64;
        let mut histogram = [0_u32; 256];
        bytes.iter().for_each(|byte| histogram[*byte as usize] += 1);
        let of_n = |count: &u32| f64::from(*count) / n;
        let entropy: f64 = histogram.iter().map(of_n).filter(|p| *p > 0.0).map(|p| -p * p.log2()).sum();
        let most = n.log2().min(8.0);
        let text = |byte: &&u8| matches!(byte, 0x20..0x7f | b'\t' | b'\n' | b'\r');
        let shares = [
            bytes.iter().map(|byte| f64::from(*byte)).sum::<f64>() / n / 255.0,
            of_n(&histogram[0]),
            bytes.iter().filter(text).count() as f64 / n,
            if most > 0.0 { entropy / most } else { 0.0 },
        ];
        shares.map(|share| share * 255.0)
    }

    /// Text, zeros and noise by turns, in runs of every length.
    fn mixed(n: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        let mut out = Vec::new();
        while out.len() < n {
            let (what, run) = (next() % 4, next() as usize % 90);
            for _ in 0..run {
                out.push(match what {
                    0 => 0,
                    1 => b' ' + (next() % 96) as u8,
                    2 => 0xcc,
                    _ => (next() >> 3) as u8,
                });
            }
        }
        out.truncate(n);
        out
    }

    #[test]
    fn equals_the_definition_whatever_the_chunks() {
        // Both sides of each change of method: whole, 32 and 64 bytes a cell, and large cells.
        for size in [1, 5, 4095, 4096, 4097, 100_003, 131_072, 131_073, 262_144, 262_145, 700_001, 20_000_000]
        {
            let bytes = mixed(size);
            for chunk in [7, 4096, 262_144] {
                let mut builder = Builder::new(size as u64);
                bytes.chunks(chunk).for_each(|chunk| builder.push(chunk));
                for (cell, found) in builder.finish().iter().enumerate() {
                    let range = cell_range(cell, size as u64);
                    let want = naive(&bytes[range.start as usize..range.end as usize]);
                    for (found, want) in found.iter().zip(want) {
                        // A tie may fall to either side.
                        let off = (f64::from(*found) - want).abs();
                        assert!(off < 0.5 + 1e-3, "size {size}, chunk {chunk}, cell {cell}: {found} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn cells_cover_the_file_in_order() {
        for size in [4096_u64, 10_000, 1 << 40] {
            let mut end = 0;
            for cell in 0..CELLS {
                let range = cell_range(cell, size);
                assert_eq!(range.start, end);
                end = range.end;
            }
            assert_eq!(end, size);
        }
        assert_eq!(cell_range(CELLS - 1, 3), 2..3);
    }

    #[test]
    fn what_did_not_come_counts_as_absent() {
        for size in [100, 10_000, 1 << 20] {
            let mut builder = Builder::new(size);
            builder.push(&[b'a'; 50]);
            let cells = builder.finish();
            assert_eq!(
                (cells.len(), cells[CELLS - 1]),
                (CELLS, if size == 100 { [97, 0, 255, 0] } else { [0; 4] })
            );
        }
    }
}
