//! The planes of a file's bytes, made in one streaming pass with constant memory.
//!
//! Three descriptions are kept. The *byte pairs*: how often the upper six bits of one byte are
//! followed by the upper six bits of the next, on a logarithmic scale, separately for each of
//! [`SEGMENTS`] equal parts of the file, so that the histogram of any run of parts can be had
//! later without the file. The *text grams*, likewise: how often each four bytes in a row occur in runs
//! of printable text, hashed into as many bins (Weinberger et al., "Feature Hashing for Large Scale
//! Multitask Learning", 2009): names of modules, messages and imports are what the files of one family
//! share. The *layout*: the file cut into [`CELLS`] equal cells in reading order,
//! with four statistics each. A byte-value picture of malware goes back to Nataraj et al., "Malware
//! Images" (VizSec 2011); byte pairs to Conti and Dean's "Visual reverse engineering" (2008).

use std::ops::Range;

/// Width and height of each plane.
const SIDE: usize = 64;
/// Cells of a layout plane.
pub const CELLS: usize = SIDE * SIDE;
/// Parts of the file whose byte pairs are counted separately.
pub const SEGMENTS: usize = 8;
/// Planes of a picture: byte pairs, text grams and the four of the layout.
pub const PLANES: usize = 2 + LAYOUT;
/// Which plane holds the text grams.
pub const TEXT_PLANE: usize = 1;
/// Statistics of a layout cell: mean byte, share of zeros, share of printable bytes, entropy.
pub const LAYOUT: usize = 4;

/// Bins of the pair histogram: 64 upper halves of a byte, squared.
const BINS: usize = 64 * 64;
/// Printable bytes in a row from which on they count as text: shorter runs are chance, in code.
const TEXT_RUN: u32 = 6;
/// The logarithmic scale spans this many octaves above one part in 2^16.
const OCTAVES: f32 = 16.0;

/// The planes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytePlanes {
    /// `[SEGMENTS][BINS]`, on the scale of [`frequency_from_level`].
    pairs: Box<[u8]>,
    /// Likewise for text grams.
    grams: Box<[u8]>,
    /// `[CELLS][LAYOUT]`, each 0 to 255 for 0 to 1.
    layout: Box<[u8]>,
}

impl BytePlanes {
    /// The planes of bytes already in memory.
    pub fn of(bytes: &[u8]) -> Self {
        let mut builder = Builder::new(bytes.len() as u64);
        builder.push(bytes);
        builder.finish()
    }

    /// Layout statistics of a cell: mean byte, zeros, printable, entropy, each 0 to 255.
    pub fn cell(&self, cell: usize) -> [u8; LAYOUT] {
        let mut values = [0; LAYOUT];
        if let Some(found) = self.layout.as_chunks::<LAYOUT>().0.get(cell) {
            values = *found;
        }
        values
    }

    /// The byte-pair histogram of the parts of the file that `weights` selects (one weight a
    /// segment, not all zero), as levels from 0 to 1 on the logarithmic scale, `BINS` of them.
    pub fn pair_levels(&self, weights: &[f32; SEGMENTS], out: &mut [f32]) {
        mix(&self.pairs, weights, out);
    }

    /// Likewise the text grams: how often the four bytes with this hash occur in text.
    pub fn gram_levels(&self, weights: &[f32; SEGMENTS], out: &mut [f32]) {
        mix(&self.grams, weights, out);
    }
}

/// The histogram of several parts of a file together.
fn mix(segments: &[u8], weights: &[f32; SEGMENTS], out: &mut [f32]) {
    let table = frequencies();
    out.fill(0.0);
    let total: f32 = weights.iter().sum();
    for (segment, weight) in segments.chunks_exact(BINS).zip(weights) {
        if *weight > 0.0 {
            let share = weight / total;
            for (out, level) in out.iter_mut().zip(segment) {
                *out += share * table[*level as usize];
            }
        }
    }
    for value in out {
        *value = level_from_frequency(*value);
    }
}

/// The bytes of the file that layout cell `cell` describes, for a file of `size` bytes. Every
/// cell covers at least one byte; in a file of fewer bytes than cells, neighbours share one.
pub fn cell_range(cell: usize, size: u64) -> Range<u64> {
    let at = |cell: usize| (cell as u128 * u128::from(size) / CELLS as u128) as u64;
    let start = at(cell);
    start..at(cell + 1).max(start + 1).min(size.max(1))
}

/// 0 to 1 for a share of all pairs.
fn level_from_frequency(frequency: f32) -> f32 {
    (1.0 + frequency * OCTAVES.exp2()).log2() / OCTAVES
}

/// The reverse, from the byte that is kept.
fn frequency_from_level(level: u8) -> f32 {
    ((f32::from(level) / 255.0 * OCTAVES).exp2() - 1.0) / OCTAVES.exp2()
}

fn frequencies() -> &'static [f32; 256] {
    static TABLE: std::sync::OnceLock<[f32; 256]> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|level| frequency_from_level(level as u8)))
}

/// Makes [`BytePlanes`] from a file's chunks, in order.
#[derive(Debug)]
pub struct Builder {
    size: u64,
    at: u64,
    previous: Option<u8>,
    pairs: Vec<u8>,
    grams: Vec<u8>,
    gram_counts: Box<[u32; BINS]>,
    /// The last four bytes, and for how long they were printable.
    gram: u32,
    text_run: u32,
    segment: usize,
    segment_end: u64,
    pair_counts: Box<[u32; BINS]>,
    pair_total: u64,
    layout: Vec<u8>,
    cell: usize,
    cell_end: u64,
    histogram: [u32; 256],
    /// Of the bytes in the histogram.
    sums: Sums,
    /// A file of fewer bytes than cells is kept whole: its cells overlap.
    small: Option<Vec<u8>>,
}

impl Builder {
    /// For a file of exactly `size` bytes.
    pub fn new(size: u64) -> Self {
        let small = size < CELLS as u64;
        Self {
            size,
            at: 0,
            previous: None,
            pairs: Vec::with_capacity(SEGMENTS * BINS),
            grams: Vec::with_capacity(SEGMENTS * BINS),
            gram_counts: Box::new([0; BINS]),
            gram: 0,
            text_run: 0,
            segment: 0,
            segment_end: segment_end(0, size),
            pair_counts: Box::new([0; BINS]),
            pair_total: 0,
            layout: Vec::with_capacity(CELLS * LAYOUT),
            cell: 0,
            cell_end: if small { u64::MAX } else { cell_range(0, size).end },
            histogram: [0; 256],
            sums: Sums::default(),
            small: small.then(Vec::new),
        }
    }

    /// The next bytes of the file. Bytes beyond the promised size are ignored.
    pub fn push(&mut self, chunk: &[u8]) {
        let room = (self.size - self.at.min(self.size)) as usize;
        let mut rest = &chunk[..chunk.len().min(room)];
        if let Some(small) = &mut self.small {
            small.extend_from_slice(rest);
        }
        while !rest.is_empty() {
            // Pairs and text know nothing of cells, of which there may be one every few bytes.
            let until = self.segment_end - self.at;
            let (now, later) = rest.split_at(rest.len().min(until as usize));
            self.count_pairs(now);
            self.count_text(now);
            self.count_cells(now);
            self.at += now.len() as u64;
            if self.at == self.segment_end {
                self.close_segment();
            }
            rest = later;
        }
    }

    /// `bytes` begin at `self.at`.
    fn count_cells(&mut self, mut bytes: &[u8]) {
        let mut at = self.at;
        while !bytes.is_empty() {
            let until = self.cell_end - at;
            let (now, later) = bytes.split_at(bytes.len().min(until as usize));
            self.sums.count(now, &mut self.histogram);
            at += now.len() as u64;
            if at == self.cell_end {
                self.layout.extend(self.sums.statistics(&self.histogram));
                self.histogram = [0; 256];
                self.sums = Sums::default();
                self.cell += 1;
                self.cell_end = cell_range(self.cell, self.size).end;
            }
            bytes = later;
        }
    }

    /// The planes. What was promised and did not come counts as absent.
    pub fn finish(mut self) -> BytePlanes {
        while self.segment < SEGMENTS {
            self.close_segment();
        }
        if let Some(small) = &self.small {
            for cell in 0..CELLS {
                let range = cell_range(cell, small.len() as u64);
                let bytes = small.get(range.start as usize..range.end as usize).unwrap_or(&[]);
                let (mut histogram, mut sums) = ([0; 256], Sums::default());
                sums.count(bytes, &mut histogram);
                self.layout.extend(sums.statistics(&histogram));
            }
        }
        self.layout.resize(CELLS * LAYOUT, 0);
        let grams = self.grams.into_boxed_slice();
        BytePlanes { pairs: self.pairs.into_boxed_slice(), grams, layout: self.layout.into_boxed_slice() }
    }

    fn count_pairs(&mut self, bytes: &[u8]) {
        let Some((first, rest)) = bytes.split_first() else {
            return;
        };
        if let Some(previous) = self.previous {
            self.pair_counts[bin(previous, *first)] += 1;
            self.pair_total += 1;
        }
        let mut previous = *first;
        for byte in rest {
            self.pair_counts[bin(previous, *byte)] += 1;
            previous = *byte;
        }
        self.pair_total += rest.len() as u64;
        self.previous = Some(previous);
    }

    fn count_text(&mut self, bytes: &[u8]) {
        let (mut gram, mut run) = (self.gram, self.text_run);
        for byte in bytes {
            gram = gram << 8 | u32::from(*byte);
            run = if (0x20..0x7f).contains(byte) { run.saturating_add(1) } else { 0 };
            if run >= TEXT_RUN {
                // Knuth's multiplicative hash; its upper twelve bits are the bin.
                self.gram_counts[(gram.wrapping_mul(0x9e37_79b1) >> 20) as usize] += 1;
            }
        }
        (self.gram, self.text_run) = (gram, run);
    }

    fn close_segment(&mut self) {
        let total = self.pair_total.max(1) as f32;
        let exact = |count: u32| (level_from_frequency(count as f32 / total) * 255.0).round() as u8;
        // Most counts are small, and many the same.
        let small: [u8; 64] = std::array::from_fn(|count| exact(count as u32));
        let level = |count: &u32| small.get(*count as usize).copied().unwrap_or_else(|| exact(*count));
        self.pairs.extend(self.pair_counts.iter().map(level));
        self.grams.extend(self.gram_counts.iter().map(level));
        self.pair_counts.fill(0);
        self.gram_counts.fill(0);
        self.pair_total = 0;
        self.segment += 1;
        self.segment_end =
            if self.segment < SEGMENTS { segment_end(self.segment, self.size) } else { u64::MAX };
    }
}

fn segment_end(segment: usize, size: u64) -> u64 {
    ((segment as u128 + 1) * u128::from(size) / SEGMENTS as u128) as u64
}

/// The bin of a pair: always below `BINS`, which the compiler can see.
fn bin(first: u8, second: u8) -> usize {
    (first as usize >> 2) << 6 | second as usize >> 2
}

/// Running sums over the bytes of a cell, so that closing a cell of a few bytes costs a few bytes and
/// not 256 bins.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    bytes: u64,
    total: u64,
    printable: u64,
    /// Σ n·log₂ n over the histogram, in 2⁻³² bits: whole numbers, so that the order of the bytes does
    /// not matter.
    terms: i64,
}

impl Sums {
    /// Takes in bytes, and counts them in `histogram`.
    fn count(&mut self, bytes: &[u8], histogram: &mut [u32; 256]) {
        self.bytes += bytes.len() as u64;
        let steps = entropy_steps();
        let (mut total, mut printable, mut terms) = (0_u64, 0_u64, 0_i64);
        for byte in bytes {
            let count = &mut histogram[*byte as usize];
            // Beyond the table it means nothing, and is not used.
            terms += steps[*count as usize % ENTROPY_STEPS];
            *count += 1;
            total += u64::from(*byte);
            printable += u64::from(TEXT[*byte as usize]);
        }
        self.total += total;
        self.printable += printable;
        self.terms = self.terms.wrapping_add(terms);
    }

    /// Mean byte, share of zeros, share of printable bytes (text and its white space), and entropy
    /// (Shannon, of 8 bits, or of what so few bytes can reach), each 0 to 255.
    fn statistics(&self, histogram: &[u32; 256]) -> [u8; LAYOUT] {
        if self.bytes == 0 {
            return [0; LAYOUT];
        }
        let n = self.bytes as f64;
        let terms = if self.bytes > ENTROPY_STEPS as u64 {
            let term = |count: &u32| f64::from(*count) * f64::from((*count).max(1)).log2();
            histogram.iter().map(term).sum()
        } else {
            self.terms as f64 / ENTROPY_UNIT
        };
        let entropy = n.log2() - terms / n;
        let most = n.log2().min(8.0);
        let level = |share: f64| (share * 255.0).round().clamp(0.0, 255.0) as u8;
        [
            level(self.total as f64 / n / 255.0),
            level(f64::from(histogram[0]) / n),
            level(self.printable as f64 / n),
            level(if most > 0.0 { entropy / most } else { 0.0 }),
        ]
    }
}

/// 1 for text and its white space.
static TEXT: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        table[byte] = 1;
        byte += 1;
    }
    table[0x09] = 1;
    table[0x0a] = 1;
    table[0x0d] = 1;
    table
};

/// Cells of up to so many bytes are summed byte by byte.
const ENTROPY_STEPS: usize = 512;
const ENTROPY_UNIT: f64 = (1_u64 << 32) as f64;

/// By how much n·log₂ n grows from `n` to `n + 1`.
fn entropy_steps() -> &'static [i64; ENTROPY_STEPS] {
    static TABLE: std::sync::OnceLock<[i64; ENTROPY_STEPS]> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| {
        let term =
            |n: usize| if n == 0 { 0 } else { (n as f64 * (n as f64).log2() * ENTROPY_UNIT).round() as i64 };
        std::array::from_fn(|n| term(n + 1) - term(n))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, from the histogram of a cell.
    fn statistics(histogram: &[u32; 256]) -> [u8; LAYOUT] {
        let n = f64::from(histogram.iter().sum::<u32>());
        if n == 0.0 {
            return [0; LAYOUT];
        }
        let weighted = |weight: &dyn Fn(u8) -> f64| -> f64 {
            histogram.iter().zip(0_u8..=255).map(|(count, byte)| f64::from(*count) * weight(byte)).sum()
        };
        let of_n = |count: &u32| f64::from(*count) / n;
        let entropy: f64 = histogram.iter().map(of_n).filter(|p| *p > 0.0).map(|p| -p * p.log2()).sum();
        let most = n.log2().min(8.0);
        let shares = [
            weighted(&|byte| f64::from(byte)) / n / 255.0,
            of_n(&histogram[0]),
            weighted(&|byte| f64::from(u8::from(matches!(byte, 0x20..0x7f | b'\t' | b'\n' | b'\r')))) / n,
            if most > 0.0 { entropy / most } else { 0.0 },
        ];
        shares.map(|share| (share * 255.0).round() as u8)
    }

    /// The same, without streaming.
    fn naive_cell(bytes: &[u8], cell: usize) -> [u8; LAYOUT] {
        let range = cell_range(cell, bytes.len() as u64);
        let mut histogram = [0; 256];
        for byte in &bytes[range.start as usize..range.end as usize] {
            histogram[*byte as usize] += 1;
        }
        statistics(&histogram)
    }

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
    fn streaming_equals_the_definition_for_any_chunking() {
        for size in [1, 5, 4095, 4096, 4097, 100_003] {
            let bytes = noise(size);
            let whole = BytePlanes::of(&bytes);
            for chunk in [1, 7, 4096] {
                let mut builder = Builder::new(size as u64);
                bytes.chunks(chunk).for_each(|c| builder.push(c));
                assert_eq!(builder.finish(), whole, "size {size} chunk {chunk}");
            }
            for cell in [0, 1, 2047, CELLS - 1] {
                assert_eq!(whole.cell(cell), naive_cell(&bytes, cell), "size {size} cell {cell}");
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
    fn known_statistics() {
        assert_eq!(BytePlanes::of(&[0; 8192]).cell(9), [0, 255, 0, 0]);
        let text = BytePlanes::of(&b"ab".repeat(1 << 20));
        assert_eq!(text.cell(0)[1..], [0, 255, 32], "one bit of eight");
    }

    #[test]
    fn text_is_counted_and_short_runs_of_it_are_not() {
        let levels = |bytes: &[u8]| {
            let mut out = vec![0.0; BINS];
            BytePlanes::of(bytes).gram_levels(&[1.0; SEGMENTS], &mut out);
            out
        };
        let bin_of = |gram: &[u8; 4]| (u32::from_be_bytes(*gram).wrapping_mul(0x9e37_79b1) >> 20) as usize;
        let text = levels(&b"sklearn.utils\0\x01\x02".repeat(4000));
        assert!(text[bin_of(b"util")] > 0.5);
        // The first grams of a run come before it is long enough to be text.
        assert_eq!(text[bin_of(b"skle")], 0.0);
        assert!(levels(&b"short\0".repeat(4000)).iter().all(|level| *level == 0.0));
    }

    #[test]
    fn pair_levels_are_those_of_the_whole_file() {
        let bytes = noise(1 << 20);
        let planes = BytePlanes::of(&bytes);
        let mut levels = vec![0.0; BINS];
        planes.pair_levels(&[1.0; SEGMENTS], &mut levels);
        let mut counts = vec![0_u32; BINS];
        bytes.windows(2).for_each(|w| counts[bin(w[0], w[1])] += 1);
        for (level, count) in levels.iter().zip(counts) {
            let want = level_from_frequency(count as f32 / (bytes.len() - 1) as f32);
            assert!((level - want).abs() < 0.003, "{level} {want}");
        }
    }
}
