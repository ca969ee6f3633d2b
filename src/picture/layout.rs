//! The layout: a file cut into [`CELLS`] equal cells in reading order, with four statistics each: mean
//! byte, share of zeros, share of printable bytes, entropy. Byte values of malware as a picture go back
//! to Nataraj et al., "Malware Images" (VizSec 2011).

use super::large_cells::LargeCells;
use super::small_cells::{SMALL, SmallCells};
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
pub enum Builder {
    /// Fewer bytes than cells: kept whole, since its cells overlap.
    Whole(Vec<u8>),
    /// Cells of at most [`SMALL`] bytes.
    Small(SmallCells),
    /// Larger ones.
    Large(LargeCells),
}

impl Builder {
    /// For a file of exactly `size` bytes.
    pub fn new(size: u64) -> Self {
        match size {
            ..4096 => Self::Whole(Vec::new()),
            _ if size <= (SMALL * CELLS) as u64 => Self::Small(SmallCells::new(size)),
            _ => Self::Large(LargeCells::new(size)),
        }
    }

    /// The next bytes; not more than were promised.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Whole(all) => all.extend_from_slice(bytes),
            Self::Small(cells) => cells.push(bytes),
            Self::Large(cells) => cells.push(bytes),
        }
    }

    /// One a cell. What was promised and did not come counts as absent.
    pub fn finish(self) -> Box<[Statistics]> {
        let mut cells = match self {
            Self::Whole(all) => {
                let byte = |cell| all.get(cell_range(cell, all.len() as u64).start as usize);
                (0..CELLS).map_while(byte).map(|byte| of_one(*byte)).collect()
            }
            Self::Small(cells) => cells.finish(),
            Self::Large(cells) => cells.finish(),
        };
        cells.resize(CELLS, [0; LAYOUT]);
        cells.into_boxed_slice()
    }
}

/// The statistics of one byte, which can have no entropy.
fn of_one(byte: u8) -> Statistics {
    let all_or_nothing = |is| if is { 255 } else { 0 };
    [byte, all_or_nothing(byte == 0), all_or_nothing(is_text(byte)), 0]
}

/// Text and its white space.
#[inline(always)]
pub fn is_text(byte: u8) -> bool {
    byte.wrapping_sub(0x20) < 0x5f || byte == 0x09 || byte == 0x0a || byte == 0x0d
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
