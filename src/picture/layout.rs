//! The layout planes: four statistics for each of [`CELLS`] equal cells over the file offset. Byte values of malware
//! as an image go back to Nataraj et al., "Malware Images" (VizSec 2011).

use super::cells::{CELLS, LAYOUT_PLANES, Statistics, cell_range, is_text};
use super::large_cells::LargeCells;
use super::small_cells::{SMALL, SmallCells};

/// Computes the layout planes from the chunks of a file, in order.
#[derive(Debug)]
pub enum Builder {
    /// Fewer bytes than cells: kept whole, since cells overlap.
    Whole(Vec<u8>),
    /// Cells of at most [`SMALL`] bytes.
    Small(SmallCells),
    /// Larger cells.
    Large(LargeCells),
}

impl Builder {
    /// A builder for a file of exactly `size` bytes.
    pub fn new(size: u64) -> Self {
        match size {
            ..4096 => Self::Whole(Vec::new()),
            _ if size <= (SMALL * CELLS) as u64 => Self::Small(SmallCells::new(size)),
            _ => Self::Large(LargeCells::new(size)),
        }
    }

    /// Adds the next bytes of the file, up to its size.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Whole(all) => all.extend_from_slice(bytes),
            Self::Small(cells) => cells.push(bytes),
            Self::Large(cells) => cells.push(bytes),
        }
    }

    /// The statistics of each cell. Bytes that are missing from the end count as absent.
    pub fn finish(self) -> Box<[Statistics]> {
        let mut cells = match self {
            Self::Whole(all) => {
                let byte = |cell| all.get(cell_range(cell, all.len() as u64).start as usize);
                (0..CELLS).map_while(byte).map(|byte| of_one_byte(*byte)).collect()
            }
            Self::Small(cells) => cells.finish(),
            Self::Large(cells) => cells.finish(),
        };
        cells.resize(CELLS, [0; LAYOUT_PLANES]);
        cells.into_boxed_slice()
    }
}

/// The statistics of a cell of one byte, which has no entropy.
fn of_one_byte(byte: u8) -> Statistics {
    let share = |is| if is { 255 } else { 0 };
    [byte, share(byte == 0), share(is_text(byte)), 0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, before rounding.
    fn naive(bytes: &[u8]) -> [f64; LAYOUT_PLANES] {
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

    /// Alternating runs of text, zeros and noise, of every length.
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
    fn equals_the_definition_for_any_chunks() {
        // Both sides of each limit between the methods: whole files, 32 and 64 bytes a cell, and large cells.
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
                        // A tie may round either way.
                        let off = (f64::from(*found) - want).abs();
                        assert!(off < 0.5 + 1e-3, "size {size}, chunk {chunk}, cell {cell}: {found} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn missing_bytes_count_as_absent() {
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
