//! The planes of a file's bytes, computed in one streaming pass with constant memory.
//!
//! They hold the byte pairs and the text grams, as [`Levels`] of [`SEGMENTS`] equal segments of the file, and the
//! layout planes: four statistics for each of 4,096 equal cells.

use super::byte_pairs::PairCounts;
use super::cells::{CELLS, LAYOUT_PLANES, Statistics};
use super::layout;
use super::levels::{self, Levels};
use super::segments::{SEGMENTS, segment_end};
use super::text_grams::{GramCounts, Wanted};
use crate::view::{FileViews, TextBins};
use std::cell::Cell;

/// Planes of a picture: byte pairs, text grams and the layout planes.
pub const PLANES: usize = 2 + LAYOUT_PLANES;
/// The index of the plane of text grams.
pub const TEXT_PLANE: usize = 1;

/// The planes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytePlanes {
    /// How often the upper six bits of one byte are followed by those of the next.
    pub(super) pairs: Levels,
    /// How often each four consecutive bytes occur in text.
    pub(super) grams: Levels,
    pub(super) layout: Box<[Statistics]>,
    /// What the views of a model see of the file, if it was read for such a model.
    pub views: Option<Box<FileViews>>,
}

impl BytePlanes {
    /// Planes from levels and the statistics of all cells; `None` if `layout` is not [`CELLS`] statistics.
    pub(super) fn from_parts(pairs: Levels, grams: Levels, layout: &[u8]) -> Option<Self> {
        let (cells, rest) = layout.as_chunks();
        let whole = cells.len() == CELLS && rest.is_empty();
        whole.then(|| Self { pairs, grams, layout: cells.into(), views: None })
    }

    /// The planes of bytes already in memory.
    pub fn of(bytes: &[u8]) -> Self {
        let mut builder = Builder::new(bytes.len() as u64, Wanted::ALL);
        builder.push(bytes);
        builder.finish().0
    }

    /// The statistics of a cell; zeros if there is no such cell.
    pub(crate) fn cell(&self, cell: usize) -> Statistics {
        self.layout.get(cell).copied().unwrap_or_default()
    }
}

/// The counts of the current segment and the levels of the finished ones. A thread reuses one set for all files:
/// clearing fresh memory takes as long as counting a small file.
#[derive(Debug)]
struct Tables {
    pair_counts: PairCounts,
    gram_counts: GramCounts,
    /// Pairs of the segment.
    total: u64,
    pairs: levels::Builder,
    grams: levels::Builder,
}

thread_local! {
    static SPARE: Cell<Option<Box<Tables>>> = const { Cell::new(None) };
}

impl Tables {
    fn new() -> Self {
        Self {
            pair_counts: PairCounts::new(),
            gram_counts: GramCounts::new(),
            total: 0,
            pairs: levels::Builder::new(),
            grams: levels::Builder::new(),
        }
    }

    fn close_segment(&mut self) {
        self.pairs.close_segment(&mut self.pair_counts.counts, self.total);
        if self.gram_counts.wanted.plane {
            // Relative to all pairs and not to all text, so that a file with little text has low levels.
            self.grams.close_segment(&mut self.gram_counts.counts, self.total);
        }
        self.total = 0;
    }

    /// Returns the levels of all segments and the text of the file, and resets the tables for the next file.
    fn finish(&mut self) -> (Levels, Levels, TextBins) {
        self.pair_counts.start_file();
        self.gram_counts.start_file();
        (self.pairs.finish(), self.grams.finish(), self.gram_counts.text.drain())
    }
}

/// Builds [`BytePlanes`] from the chunks of a file, in order.
#[derive(Debug)]
pub struct Builder {
    size: u64,
    at: u64,
    segment: usize,
    segment_end: u64,
    tables: Box<Tables>,
    layout: layout::Builder,
}

impl Builder {
    /// A builder for a file of exactly `size` bytes. Without the plane of text grams, that plane is empty; without text, no
    /// grams are counted for the text view.
    pub fn new(size: u64, wanted: Wanted) -> Self {
        let mut tables = SPARE.take().unwrap_or_else(|| Box::new(Tables::new()));
        tables.gram_counts.wanted = wanted;
        let layout = layout::Builder::new(size);
        Self { size, at: 0, segment: 0, segment_end: segment_end(0, size), tables, layout }
    }

    /// Adds the next bytes of the file. Bytes beyond its size are ignored.
    pub fn push(&mut self, chunk: &[u8]) {
        let left = self.size.saturating_sub(self.at);
        let mut rest = &chunk[..usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()))];
        self.layout.push(rest);
        while !rest.is_empty() {
            let until = usize::try_from(self.segment_end - self.at).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(rest.len().min(until));
            self.tables.total += self.tables.pair_counts.count(now);
            self.tables.gram_counts.count(now);
            self.at += now.len() as u64;
            if self.at == self.segment_end {
                self.close_segment();
            }
            rest = later;
        }
    }

    /// The planes, and the grams of the file's text. Bytes that are missing from the end count as absent.
    pub fn finish(mut self) -> (BytePlanes, TextBins) {
        while self.segment < SEGMENTS {
            self.close_segment();
        }
        let (pairs, grams, text) = self.tables.finish();
        // The tables of an unfinished builder are dropped: they still hold counts.
        SPARE.set(Some(self.tables));
        (BytePlanes { pairs, grams, layout: self.layout.finish(), views: None }, text)
    }

    fn close_segment(&mut self) {
        self.tables.close_segment();
        self.segment += 1;
        self.segment_end =
            if self.segment < SEGMENTS { segment_end(self.segment, self.size) } else { u64::MAX };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::counts::BINS;
    use crate::picture::text_grams;

    fn noise(n: usize) -> Vec<u8> {
        let mut state = 1_u32;
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    }

    #[test]
    fn planes_do_not_depend_on_the_chunks() {
        for size in [1, 5, 4095, 4096, 4097, 100_003, 400_000] {
            let bytes = noise(size);
            let whole = BytePlanes::of(&bytes);
            for chunk in [1, 7, 4096] {
                let mut builder = Builder::new(size as u64, Wanted::ALL);
                bytes.chunks(chunk).for_each(|c| builder.push(c));
                builder.push(b"bytes beyond the size");
                assert_eq!(builder.finish().0, whole, "size {size} chunk {chunk}");
            }
        }
    }

    #[test]
    fn known_statistics() {
        assert_eq!(BytePlanes::of(&[0; 8192]).cell(9), [0, 255, 0, 0]);
        let text = BytePlanes::of(&b"ab".repeat(1 << 20));
        assert_eq!(text.cell(0)[1..], [0, 255, 32], "one bit of entropy of eight");
        assert_eq!(text.cell(1 << 12), [0; 4]);
    }

    #[test]
    fn text_is_counted_but_not_short_runs() {
        let levels = |bytes: &[u8]| {
            let mut out = vec![0.0; BINS];
            BytePlanes::of(bytes).grams.mix(&[1.0; SEGMENTS], &mut out);
            out
        };
        let text = levels(&b"sklearn.utils\0\x01\x02".repeat(4000));
        assert!(text[text_grams::bin(*b"util") as usize] > 0.5);
        // The first grams of a run end before it is long enough to count as text.
        assert_eq!(text[text_grams::bin(*b"skle") as usize], 0.0);
        assert!(levels(&b"short\0".repeat(4000)).iter().all(|level| *level == 0.0));
    }

    #[test]
    fn pair_levels_equal_the_definition() {
        let bytes = noise(1 << 20);
        let mut levels = vec![0.0; BINS];
        BytePlanes::of(&bytes).pairs.mix(&[1.0; SEGMENTS], &mut levels);
        let mut counts = vec![0_u32; BINS];
        bytes.windows(2).for_each(|w| counts[(w[0] as usize >> 2) << 6 | w[1] as usize >> 2] += 1);
        for (level, count) in levels.iter().zip(counts) {
            let want = (1.0 + count as f32 / (bytes.len() - 1) as f32 * 65536.0).log2() / 16.0;
            assert!((level - want).abs() < 0.003, "{level} {want}");
        }
    }
}
