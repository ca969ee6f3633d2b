//! Cells: a file divided into [`CELLS`] equal parts in reading order, which the layout planes describe by four
//! statistics each.

use std::ops::Range;

/// Cells of a file: 64 rows of 64.
pub const CELLS: usize = 64 * 64;
/// Layout planes of a picture, one for each statistic of a cell.
pub const LAYOUT_PLANES: usize = 4;
/// Statistics of a cell: mean byte, share of zeros, share of printable bytes (text and its white space) and
/// entropy (Shannon's, relative to 8 bits or to the most that so few bytes can have). Each is 0 to 255 for
/// 0 to 1.
pub type Statistics = [u8; LAYOUT_PLANES];

/// The byte range that cell `cell` describes in a file of `size` bytes. Every cell covers at least one byte;
/// in a file of fewer bytes than cells, neighbouring cells share one.
pub fn cell_range(cell: usize, size: u64) -> Range<u64> {
    let at = |cell: usize| match (cell as u64).checked_mul(size) {
        Some(product) => product / CELLS as u64,
        None => (cell as u128 * u128::from(size) / CELLS as u128) as u64,
    };
    let start = at(cell);
    start..at(cell + 1).max(start + 1).min(size.max(1))
}

/// Whether a byte is printable ASCII or the white space of text (tab, line feed, carriage return).
#[inline(always)]
pub fn is_text(byte: u8) -> bool {
    byte.wrapping_sub(0x20) < 0x5f || byte == 0x09 || byte == 0x0a || byte == 0x0d
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
