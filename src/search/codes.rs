//! Codes: unit vectors with one byte per number, a quarter of the memory to read, which rule out most of a
//! library before exact vectors are compared.
//!
//! A row `x` is stored as `s·q` with `q` from −127 to 127 and its own scale `s`; the rounding error has
//! length `e`. For two unit vectors with errors `e` and `f` the product of the codes differs from the exact
//! one by at most `e + f + e·f`. So a row whose product of codes is more than twice that below the k-th best
//! cannot be among the k nearest, and few exact products are needed for exact results.
//!
//! Sixteen rows are interleaved, four numbers of one after four of the next, so that a vector of the
//! processor holds the same numbers of all of them, and sums are never added up across it.

use crate::model::Embeddings;
#[cfg(target_arch = "x86_64")]
use bytemuck::cast;
use std::ops::Range;

/// Rows that are interleaved.
const GROUP: usize = 16;
/// Adjacent numbers of one row.
const QUAD: usize = 4;
/// Queries that are compared together.
pub const TOGETHER: usize = 4;
/// Bytes of one quad of all rows of a group.
const BYTES: usize = GROUP * QUAD;
/// Added to the codes of rows, since the instructions need unsigned numbers.
const OFFSET: i32 = 128;

/// All rows of a matrix as codes.
pub struct Codes {
    rows: usize,
    quads: usize,
    /// `[group][quad][row of the group][number of the quad]`, each a code plus [`OFFSET`].
    bytes: Vec<u8>,
    /// The scale of each row, padded to whole groups.
    scales: Vec<f32>,
    /// The largest rounding error of a row.
    error: f32,
}

/// Rows that are compared with all rows of a [`Codes`].
pub struct Queries {
    quads: usize,
    /// `[row][quad][4]`.
    codes: Vec<i8>,
    scales: Vec<f32>,
    /// By how much a sum of products is too large, because of [`OFFSET`].
    excess: Vec<i32>,
    /// The largest rounding error of a query.
    error: f32,
}

/// Writes the codes of a row; returns its scale and the length of its rounding error.
fn quantise(row: &[f32], codes: &mut [i8]) -> (f32, f32) {
    let largest = row.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let mut error = 0.0_f32;
    for (v, out) in row.iter().zip(codes) {
        let code = (v / scale).round().clamp(-127.0, 127.0);
        *out = code as i8;
        error += (v - code * scale).powi(2);
    }
    (scale, error.sqrt())
}

impl Codes {
    /// The codes of `rows`.
    pub fn new(rows: &Embeddings) -> Self {
        let quads = rows.dimension.div_ceil(QUAD);
        let groups = rows.len().div_ceil(GROUP);
        let mut codes = Self {
            rows: rows.len(),
            quads,
            bytes: vec![OFFSET as u8; groups * quads * BYTES],
            scales: vec![0.0; groups * GROUP],
            error: 0.0,
        };
        let mut own = vec![0_i8; quads * QUAD];
        for (i, row) in rows.rows().enumerate() {
            let (scale, error) = quantise(row, &mut own);
            codes.scales[i] = scale;
            codes.error = codes.error.max(error);
            let (group, lane) = (i / GROUP * quads * BYTES, i % GROUP * QUAD);
            for (quad, codes_of_quad) in own.as_chunks::<QUAD>().0.iter().enumerate() {
                let at = group + quad * BYTES + lane;
                for (out, code) in codes.bytes[at..at + QUAD].iter_mut().zip(codes_of_quad) {
                    *out = (i32::from(*code) + OFFSET) as u8;
                }
            }
        }
        codes
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// The largest possible error of a product of codes of this matrix and `queries`.
    pub fn error_bound(&self, queries: &Queries) -> f32 {
        // Slightly more, for the rounding of the products themselves.
        self.error + queries.error + self.error * queries.error + 1e-5
    }

    /// Compares `rows` (whole groups, or up to the end) with up to [`TOGETHER`] queries from `first` on. For
    /// each product of at least the query's `threshold`, calls `found` with the query (counted from `first`),
    /// the row and the product; for each query in the order of rows.
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
        let block = Block { quads: self.quads, bytes: bytes.as_chunks().0, scales: scales.as_chunks().0 };
        let mut within = |query: usize, row: usize, product: f32| {
            let row = groups.start * GROUP + row;
            // The last group may be padded.
            if row < rows.end {
                found(query, row, product);
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
    /// The codes of `rows`.
    pub fn new(rows: &Embeddings) -> Self {
        let quads = rows.dimension.div_ceil(QUAD);
        let mut queries = Self {
            quads,
            codes: vec![0; rows.len() * quads * QUAD],
            scales: Vec::with_capacity(rows.len()),
            excess: Vec::with_capacity(rows.len()),
            error: 0.0,
        };
        for (row, codes) in rows.rows().zip(queries.codes.chunks_exact_mut((quads * QUAD).max(1))) {
            let (scale, error) = quantise(row, codes);
            queries.scales.push(scale);
            queries.excess.push(OFFSET * codes.iter().map(|code| i32::from(*code)).sum::<i32>());
            queries.error = queries.error.max(error);
        }
        queries
    }
}

/// One query.
#[derive(Clone, Copy)]
struct Query<'a> {
    codes: &'a [[i8; QUAD]],
    scale: f32,
    excess: i32,
    /// Products below it are not reported.
    threshold: f32,
}

/// Consecutive groups.
struct Block<'a> {
    quads: usize,
    bytes: &'a [[u8; BYTES]],
    scales: &'a [[f32; GROUP]],
}

impl Block<'_> {
    fn scan_plain(&self, queries: &[Option<Query<'_>>; TOGETHER], found: &mut impl FnMut(usize, usize, f32)) {
        for (group, (bytes, scales)) in self.bytes.chunks_exact(self.quads).zip(self.scales).enumerate() {
            for (q, query) in queries.iter().enumerate() {
                let Some(query) = query else { continue };
                for (row, scale) in scales.iter().enumerate() {
                    let own = bytes.iter().flat_map(|quad| &quad[row * QUAD..(row + 1) * QUAD]);
                    let products =
                        own.zip(query.codes.as_flattened()).map(|(a, b)| i32::from(*a) * i32::from(*b));
                    let product = (products.sum::<i32>() - query.excess) as f32 * (scale * query.scale);
                    if product >= query.threshold {
                        found(q, group * GROUP + row, product);
                    }
                }
            }
        }
    }

    /// The same with 64 products per instruction. Sums are integers, so the results have the same bits.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn scan_vnni(&self, queries: &[Option<Query<'_>>; TOGETHER], found: &mut impl FnMut(usize, usize, f32)) {
        use std::arch::x86_64::{
            __m512, __m512i, _CMP_GE_OQ, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
            _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512, _mm512_sub_epi32,
        };
        /// Groups that share the reads of the queries and have independent sums.
        const PAIR: usize = 2;
        // A missing query is replaced by the first one with a threshold that no product reaches.
        let Some(first) = queries.iter().flatten().next().copied() else { return };
        let missing = Query { threshold: f32::INFINITY, ..first };
        let queries = queries.map(|query| query.unwrap_or(missing));
        let groups = self.bytes.chunks(PAIR * self.quads).zip(self.scales.chunks(PAIR));
        for (pair, (bytes, scales)) in groups.enumerate() {
            let (one, other) = bytes.split_at(self.quads);
            // A last group without a partner is compared with itself.
            let other = if other.is_empty() { one } else { other };
            let mut sums = [[_mm512_setzero_si512(); TOGETHER]; PAIR];
            for (quad, (a, b)) in one.iter().zip(other).enumerate() {
                let rows = [a, b].map(|bytes| cast::<[u8; BYTES], __m512i>(*bytes));
                for (q, query) in queries.iter().enumerate() {
                    let codes = query.codes.get(quad).copied().unwrap_or_default().map(|code| code as u8);
                    let codes = _mm512_set1_epi32(i32::from_le_bytes(codes));
                    for (sums, rows) in sums.iter_mut().zip(rows) {
                        sums[q] = _mm512_dpbusd_epi32(sums[q], rows, codes);
                    }
                }
            }
            for (which, (sums, scales)) in sums.iter().zip(scales).enumerate() {
                let scales = cast::<[f32; GROUP], __m512>(*scales);
                for (q, (sum, query)) in sums.iter().zip(&queries).enumerate() {
                    let sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(*sum, _mm512_set1_epi32(query.excess)));
                    let products = _mm512_mul_ps(sum, _mm512_mul_ps(scales, _mm512_set1_ps(query.scale)));
                    let enough = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(products, _mm512_set1_ps(query.threshold));
                    if enough != 0 {
                        let products = cast::<__m512, [f32; GROUP]>(products);
                        each(u32::from(enough), |row| {
                            found(q, (pair * PAIR + which) * GROUP + row, products[row]);
                        });
                    }
                }
            }
        }
    }

    /// The same with vectors of half that width, which nearly every processor has.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn scan_avx2(&self, queries: &[Option<Query<'_>>; TOGETHER], found: &mut impl FnMut(usize, usize, f32)) {
        use std::arch::x86_64::{
            __m128i, __m256, __m256i, _CMP_GE_OQ, _mm256_add_epi32, _mm256_cmp_ps, _mm256_cvtepi32_ps,
            _mm256_cvtepu8_epi16, _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_movemask_ps, _mm256_mul_ps,
            _mm256_permute4x64_epi64, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_ps,
            _mm256_setzero_si256, _mm256_sub_epi32,
        };
        // The queries as 16-bit numbers, four of them in a word.
        let words: Vec<Vec<i64>> = queries
            .iter()
            .map(|query| {
                let quads = query.map_or(&[][..], |query| query.codes);
                let word = |quad: &[i8; QUAD]| {
                    quad.iter()
                        .rev()
                        .fold(0_i64, |word, code| word << 16 | i64::from(i16::from(*code) as u16))
                };
                quads.iter().map(word).collect()
            })
            .collect();
        for (group, (bytes, scales)) in self.bytes.chunks_exact(self.quads).zip(self.scales).enumerate() {
            for (q, (query, words)) in queries.iter().zip(&words).enumerate() {
                let Some(query) = query else { continue };
                // Each of four rows, with two sums per row.
                let mut sums = [_mm256_setzero_si256(); 4];
                for (bytes, word) in bytes.iter().zip(words) {
                    let word = _mm256_set1_epi64x(*word);
                    for (sum, four) in sums.iter_mut().zip(bytes.as_chunks::<16>().0) {
                        let four = cast::<[u8; 16], __m128i>(*four);
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_cvtepu8_epi16(four), word));
                    }
                }
                let halves = [_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3])];
                for (half, (sum, scales)) in halves.into_iter().zip(scales.as_chunks::<8>().0).enumerate() {
                    // Adding neighbours leaves the rows in the order 0 1 4 5 2 3 6 7.
                    let sum: __m256i = _mm256_permute4x64_epi64::<0b1101_1000>(sum);
                    let sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sum, _mm256_set1_epi32(query.excess)));
                    let scales = cast::<[f32; 8], __m256>(*scales);
                    let products = _mm256_mul_ps(sum, _mm256_mul_ps(scales, _mm256_set1_ps(query.scale)));
                    let enough = _mm256_cmp_ps::<_CMP_GE_OQ>(products, _mm256_set1_ps(query.threshold));
                    let enough = _mm256_movemask_ps(enough) as u32;
                    if enough != 0 {
                        let products = cast::<__m256, [f32; 8]>(products);
                        each(enough, |row| found(q, group * GROUP + half * 8 + row, products[row]));
                    }
                }
            }
        }
    }
}

/// Calls `work` with the index of each set bit, the lowest first.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn each(mut bits: u32, mut work: impl FnMut(usize)) {
    while bits != 0 {
        work(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::testing::random;

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
            let (rows, query_rows) = (random(n, dimension), random(5, dimension));
            let (codes, queries) = (Codes::new(&rows), Queries::new(&query_rows));
            for first in [0, 4] {
                for thresholds in [[f32::NEG_INFINITY; TOGETHER], [0.1, -0.2, f32::INFINITY, 0.0]] {
                    let results = by_all_implementations(&codes, &queries, first, &thresholds);
                    assert!(results.iter().all(|result| *result == results[0]), "{n} {dimension}");
                }
            }
            let error = f64::from(codes.error_bound(&queries));
            let mut seen = 0;
            codes.scan(0..n, &queries, 0, &[f32::NEG_INFINITY; TOGETHER], |query, row, found| {
                let pairs = rows.row(row).iter().zip(query_rows.row(query));
                let exact: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                assert!((exact - f64::from(found)).abs() <= error, "{exact} {found}");
                seen += 1;
            });
            assert_eq!(seen, n * TOGETHER);
        }
    }

    #[test]
    fn rows_of_zeros_and_no_rows_work() {
        let rows = Embeddings { dimension: 4, data: vec![0.0; 12] };
        let codes = Codes::new(&rows);
        assert_eq!((codes.len(), codes.error), (3, 0.0));
        assert_eq!(Codes::new(&Embeddings::new(4)).len(), 0);
    }
}
