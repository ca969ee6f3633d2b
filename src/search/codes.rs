//! Codes: vectors with one byte per number, a quarter of the memory to read, which rule out most of a library
//! before exact vectors are compared.
//!
//! A vector `x` is stored as `s·q` with `q` from −127 to 127 and its own scale `s`; the rounding error has
//! length `e`. For vectors of lengths `a` and `b` with errors `e` and `f` the product of the codes differs
//! from the exact one by at most `a·f + b·e + e·f`. So the cosine distance of two unit vectors is known to
//! within that, and few exact distances are needed for exact results.
//!
//! Vectors that are nearly alike are stored as their differences from a centre `c`, since the distance of
//! unit vectors `x` and `y` is `|x − c|²/2 + |y − c|²/2 − (x − c)·(y − c)`, and the error is then as small as
//! the differences are.

use super::code_scan::{BYTES, Block, GROUP, QUAD, Query, TOGETHER};
use super::exact::NEAR;
use crate::numeric::{dot, squared_distance};
use std::ops::Range;

/// Added to the codes of rows, since the instructions need unsigned numbers.
const OFFSET: i32 = 128;

/// Added to a bound on the error of a distance, for the rounding of everything but the codes: as a share of the
/// largest squared distance, and always where distances are large enough to follow from a product.
const ROUNDING: f32 = 1e-5;

/// Some vectors as codes.
#[derive(Default)]
pub struct Codes {
    rows: usize,
    quads: usize,
    /// What is subtracted from each vector, if anything.
    centre: Option<Vec<f32>>,
    /// `[group][quad][row of the group][number of the quad]`, each a code plus [`OFFSET`].
    bytes: Vec<u8>,
    /// The scale of each row, padded to whole groups.
    scales: Vec<f32>,
    /// Half the squared length of each row, 0 without a centre, padded to whole groups.
    halves: Vec<f32>,
    /// The largest rounding error of a row.
    error: f32,
    /// The lengths of the shortest and the longest row.
    lengths: [f32; 2],
}

/// Vectors that are compared with all rows of a [`Codes`].
pub struct Queries {
    quads: usize,
    /// `[row][quad][4]`.
    codes: Vec<i8>,
    scales: Vec<f32>,
    /// By how much a sum of products is too large, because of [`OFFSET`].
    excess: Vec<i32>,
    /// The length and the rounding error of each.
    lengths: Vec<f32>,
    errors: Vec<f32>,
}

/// Writes the codes of a row; returns its scale and the length of its rounding error.
fn quantise(row: &[f32], codes: &mut [i8]) -> (f32, f32) {
    let largest = row.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    // The scale of very small numbers would be rounded to nothing.
    let scale = if largest > f32::MIN_POSITIVE * 256.0 { largest / 127.0 } else { 1.0 };
    let mut error = 0.0_f32;
    for (v, out) in row.iter().zip(codes) {
        let code = (v / scale).round().clamp(-127.0, 127.0);
        *out = code as i8;
        error += (v - code * scale).powi(2);
    }
    (scale, error.sqrt())
}

/// Writes a vector less the centre; returns its length.
fn subtract(vector: &[f32], centre: Option<&[f32]>, out: &mut [f32]) -> f32 {
    match centre {
        Some(centre) => {
            for (out, (v, c)) in out.iter_mut().zip(vector.iter().zip(centre)) {
                *out = v - c;
            }
        }
        None => out.copy_from_slice(vector),
    }
    dot(out, out).sqrt()
}

impl Codes {
    /// The codes of vectors of one length, or of their differences from a centre.
    pub fn new<'a>(vectors: impl ExactSizeIterator<Item = &'a [f32]>, centre: Option<Vec<f32>>) -> Self {
        let rows = vectors.len();
        let groups = rows.div_ceil(GROUP);
        let mut codes = Self {
            rows,
            quads: 0,
            centre,
            bytes: Vec::new(),
            scales: vec![0.0; groups * GROUP],
            halves: vec![0.0; groups * GROUP],
            error: 0.0,
            lengths: [f32::INFINITY, 0.0],
        };
        let (mut difference, mut own) = (Vec::new(), Vec::new());
        for (i, vector) in vectors.enumerate() {
            if i == 0 {
                codes.quads = vector.len().div_ceil(QUAD);
                codes.bytes = vec![OFFSET as u8; groups * codes.quads * BYTES];
                own = vec![0_i8; codes.quads * QUAD];
                difference = vec![0.0; vector.len()];
            }
            let length = subtract(vector, codes.centre.as_deref(), &mut difference);
            let (scale, error) = quantise(&difference, &mut own);
            codes.scales[i] = scale;
            codes.halves[i] = if codes.centre.is_some() { length * length / 2.0 } else { 0.0 };
            codes.error = codes.error.max(error);
            codes.lengths = [codes.lengths[0].min(length), codes.lengths[1].max(length)];
            let (group, lane) = (i / GROUP * codes.quads * BYTES, i % GROUP * QUAD);
            for (quad, codes_of_quad) in own.as_chunks::<QUAD>().0.iter().enumerate() {
                let at = group + quad * BYTES + lane;
                for (out, code) in codes.bytes[at..at + QUAD].iter_mut().zip(codes_of_quad) {
                    *out = (i32::from(*code) + OFFSET) as u8;
                }
            }
        }
        codes
    }

    /// No rows yet, of vectors of this length: their centre, if any, the largest error that they have, and the lengths of the
    /// shortest and the longest.
    pub fn empty(dimension: usize, centre: Option<Vec<f32>>, error: f32, lengths: [f32; 2]) -> Self {
        let quads = dimension.div_ceil(QUAD);
        Self {
            rows: 0,
            quads,
            centre,
            bytes: Vec::new(),
            scales: Vec::new(),
            halves: Vec::new(),
            error,
            lengths,
        }
    }

    /// Adds the codes, the scales and the halves of all rows to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(&self.bytes);
        self.scales.iter().chain(&self.halves).for_each(|number| out.extend(number.to_le_bytes()));
    }

    /// How many bytes [`Self::write`] makes of this number of rows.
    pub fn bytes_of(&self, rows: usize) -> usize {
        rows.div_ceil(GROUP) * (self.quads * BYTES + 2 * GROUP * size_of::<f32>())
    }

    /// Takes centre, error and lengths of others, and no rows.
    pub fn shape_as(&mut self, other: &Self) {
        let Self { quads, centre, error, lengths, .. } = other;
        (self.rows, self.quads, self.error, self.lengths) = (0, *quads, *error, *lengths);
        self.centre.clone_from(centre);
    }

    /// Reads the rows that [`Self::write`] wrote in place of those that it has; `None` if `bytes` has another length.
    pub fn read(&mut self, rows: usize, bytes: &[u8]) -> Option<()> {
        if bytes.len() != self.bytes_of(rows) {
            return None;
        }
        let groups = rows.div_ceil(GROUP);
        let (codes, numbers) = bytes.split_at_checked(groups * self.quads * BYTES)?;
        let (scales, halves) = numbers.split_at_checked(groups * GROUP * size_of::<f32>())?;
        self.rows = rows;
        self.bytes.clear();
        self.bytes.extend_from_slice(codes);
        for (to, from) in [(&mut self.scales, scales), (&mut self.halves, halves)] {
            to.clear();
            to.extend(from.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        }
        Some(())
    }

    /// The largest rounding error of a row.
    pub fn error(&self) -> f32 {
        self.error
    }

    /// The lengths of the shortest and the longest row.
    pub fn lengths(&self) -> [f32; 2] {
        self.lengths
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// The squared distance of a vector from the centre; without one, 1.
    pub fn away(&self, vector: &[f32]) -> f32 {
        self.centre.as_ref().map_or(1.0, |centre| squared_distance(vector, centre))
    }

    /// The smallest possible cosine distance of a vector from any row, if it is `away` from the centre.
    pub fn least_distance(&self, away: f32) -> f32 {
        if self.centre.is_none() {
            return 0.0;
        }
        let (away, [shortest, longest]) = (away.sqrt(), self.lengths);
        let gap = (shortest - away).max(away - longest).max(0.0);
        gap * gap / 2.0 - self.rounding(away)
    }

    /// The cosine distance of a query from a row is this less the score that [`Self::scan`] finds, give or
    /// take [`Self::slack`].
    pub fn base(&self, queries: &Queries, query: usize) -> f32 {
        if self.centre.is_some() { queries.lengths[query].powi(2) / 2.0 } else { 1.0 }
    }

    /// The largest possible error of a score of the query.
    pub fn slack(&self, queries: &Queries, query: usize) -> f32 {
        let (length, error) = (queries.lengths[query], queries.errors[query]);
        length * self.error + self.lengths[1] * error + self.error * error + self.rounding(length)
    }

    /// The error of distances of vectors that are `away` from the centre, beside that of the codes.
    fn rounding(&self, away: f32) -> f32 {
        let squared = (away + self.lengths[1]).powi(2);
        ROUNDING * if squared / 2.0 < NEAR / 2.0 { squared } else { squared + 1.0 }
    }

    /// Compares `rows` (whole groups, or up to the end) with up to [`TOGETHER`] queries from `first` on. For
    /// each score of at least the query's `threshold`, calls `found` with the query (counted from `first`), the
    /// row and the score; for each query in the order of rows. A score is the product of the codes, less half
    /// the squared length of the row if there is a centre.
    #[allow(unsafe_code, reason = "calls functions that need processor features, after checking for them")]
    pub fn scan(
        &self,
        rows: Range<usize>,
        queries: &Queries,
        first: usize,
        thresholds: &[f32; TOGETHER],
        mut found: impl FnMut(usize, usize, f32),
    ) {
        if queries.quads != self.quads || self.quads == 0 {
            return;
        }
        let own = self.quads * QUAD;
        let queries: [Option<Query<'_>>; TOGETHER] = std::array::from_fn(|i| {
            let q = first + i;
            let codes = queries.codes.get(q * own..(q + 1) * own)?.as_chunks().0;
            Some(Query {
                codes,
                scale: *queries.scales.get(q)?,
                excess: *queries.excess.get(q)?,
                threshold: thresholds[i],
            })
        });
        let groups = rows.start / GROUP..rows.end.div_ceil(GROUP);
        let bytes = &self.bytes[groups.start * self.quads * BYTES..groups.end * self.quads * BYTES];
        let scales = &self.scales[groups.start * GROUP..groups.end * GROUP];
        let halves = &self.halves[groups.start * GROUP..groups.end * GROUP];
        let block = Block {
            quads: self.quads,
            bytes: bytes.as_chunks().0,
            scales: scales.as_chunks().0,
            halves: halves.as_chunks().0,
        };
        let mut within = |query: usize, row: usize, score: f32| {
            let row = groups.start * GROUP + row;
            // The last group may be padded.
            if row < rows.end {
                found(query, row, score);
            }
        };
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bw") && has!("avx512vnni") {
                // SAFETY: the processor has the features that the function needs.
                unsafe { block.scan_vnni(&queries, &mut within) };
                return;
            }
            if has!("avx2") {
                // SAFETY: the processor has the feature that the function needs.
                unsafe { block.scan_avx2(&queries, &mut within) };
                return;
            }
        }
        block.scan_plain(&queries, &mut within);
    }
}

impl Queries {
    /// The codes of some vectors, to be compared with those of `codes`.
    pub fn new<'a>(vectors: impl ExactSizeIterator<Item = &'a [f32]>, codes: &Codes) -> Self {
        let (n, own) = (vectors.len(), codes.quads * QUAD);
        let mut queries = Self {
            quads: codes.quads,
            codes: vec![0; n * own],
            scales: Vec::with_capacity(n),
            excess: Vec::with_capacity(n),
            lengths: Vec::with_capacity(n),
            errors: Vec::with_capacity(n),
        };
        let mut difference = Vec::new();
        for (vector, bytes) in vectors.zip(queries.codes.chunks_exact_mut(own.max(1))) {
            difference.resize(vector.len(), 0.0);
            let length = subtract(vector, codes.centre.as_deref(), &mut difference);
            let (scale, error) = quantise(&difference, bytes);
            queries.scales.push(scale);
            queries.excess.push(OFFSET * bytes.iter().map(|code| i32::from(*code)).sum::<i32>());
            queries.lengths.push(length);
            queries.errors.push(error);
        }
        queries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Embeddings;
    use crate::search::testing::{around, random};

    type Found = Vec<(usize, usize, u32)>;
    type Emit<'a> = dyn FnMut(usize, usize, f32) + 'a;

    /// The results of every implementation that this processor supports.
    #[allow(unsafe_code, reason = "calls functions that need processor features, after checking for them")]
    fn by_all_implementations(
        codes: &Codes,
        queries: &Queries,
        first: usize,
        thresholds: &[f32; TOGETHER],
    ) -> Vec<Found> {
        let own = codes.quads * QUAD;
        let queries: [Option<Query<'_>>; TOGETHER] = std::array::from_fn(|i| {
            let q = first + i;
            let all = queries.codes.get(q * own..(q + 1) * own)?.as_chunks().0;
            Some(Query {
                codes: all,
                scale: queries.scales[q],
                excess: queries.excess[q],
                threshold: thresholds[i],
            })
        });
        let block = Block {
            quads: codes.quads,
            bytes: codes.bytes.as_chunks().0,
            scales: codes.scales.as_chunks().0,
            halves: codes.halves.as_chunks().0,
        };
        let mut results = Vec::new();
        let mut run = |scan: &dyn Fn(&mut Emit<'_>)| {
            let mut all = Found::new();
            scan(&mut |query, row, product| all.push((query, row, product.to_bits())));
            all.sort_unstable();
            results.push(all);
        };
        run(&|mut found| block.scan_plain(&queries, &mut found));
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") {
                // SAFETY: the processor has the feature.
                run(&|mut found| unsafe { block.scan_avx2(&queries, &mut found) });
            }
            if has!("avx512f") && has!("avx512bw") && has!("avx512vnni") {
                // SAFETY: the processor has the features.
                run(&|mut found| unsafe { block.scan_vnni(&queries, &mut found) });
            }
        }
        results
    }

    #[test]
    fn all_implementations_give_the_same_bits_within_the_error_bound() {
        for (n, dimension) in [(1, 1), (37, 7), (37, 31), (32, 32), (100, 64), (17, 100)] {
            let spread = (random(n, dimension), random(5, dimension), None);
            let centre = random(1, dimension);
            let alike = (around(&centre, n, 1e-3), around(&centre, 5, 1e-3), Some(centre.data));
            for (rows, query_rows, centre) in [spread, alike] {
                let codes = Codes::new(rows.rows(), centre);
                let queries = Queries::new(query_rows.rows(), &codes);
                for first in [0, 4] {
                    for thresholds in [[f32::NEG_INFINITY; TOGETHER], [0.1, -0.2, f32::INFINITY, 0.0]] {
                        let results = by_all_implementations(&codes, &queries, first, &thresholds);
                        assert!(results.iter().all(|result| *result == results[0]), "{n} {dimension}");
                    }
                }
                let mut seen = 0;
                codes.scan(0..n, &queries, 0, &[f32::NEG_INFINITY; TOGETHER], |query, row, score| {
                    let pairs = rows.row(row).iter().zip(query_rows.row(query));
                    let squares = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
                    let exact = squares.sum::<f64>() / 2.0;
                    let found = f64::from(codes.base(&queries, query) - score);
                    let slack = f64::from(codes.slack(&queries, query));
                    assert!((exact - found).abs() <= slack, "{exact} {found} {slack}");
                    let away = codes.away(query_rows.row(query));
                    assert!(exact >= f64::from(codes.least_distance(away)));
                    seen += 1;
                });
                assert_eq!(seen, n * TOGETHER.min(query_rows.len()));
            }
        }
    }

    #[test]
    fn codes_of_differences_are_as_exact_as_the_differences_are_small() {
        let centre = random(1, 64);
        let rows = around(&centre, 100, 1e-4);
        let slack = |centre| {
            let codes = Codes::new(rows.rows(), centre);
            codes.slack(&Queries::new(rows.rows(), &codes), 0)
        };
        let (apart, whole) = (slack(Some(centre.data)), slack(None));
        assert!(apart < 1e-8 && whole > 1e-3, "{apart} {whole}");
    }

    #[test]
    fn rows_of_zeros_and_no_rows_work() {
        let rows = Embeddings { dimension: 4, data: vec![0.0; 12] };
        let codes = Codes::new(rows.rows(), None);
        assert_eq!((codes.len(), codes.error), (3, 0.0));
        assert_eq!(Codes::new(Embeddings::new(4).rows(), None).len(), 0);
    }
}
