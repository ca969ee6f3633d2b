//! The products of codes with queries, by the widest instructions that the processor has.
//!
//! Sixteen rows are interleaved, four numbers of one after four of the next, so that a vector of the
//! processor holds the same numbers of all of them, and sums are never added up across it.

#[cfg(target_arch = "x86_64")]
use bytemuck::cast;

/// Rows that are interleaved.
pub const GROUP: usize = 16;
/// Adjacent numbers of one row.
pub const QUAD: usize = 4;
/// Queries that are compared together.
pub const TOGETHER: usize = 4;
/// Bytes of one quad of all rows of a group.
pub const BYTES: usize = GROUP * QUAD;

/// One query: its codes, its scale, and by how much a sum of its products is too large.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    pub codes: &'a [[i8; QUAD]],
    pub scale: f32,
    pub excess: i32,
    /// Scores below it are not reported.
    pub threshold: f32,
}

/// Consecutive groups: the codes of each, their scales, and what is subtracted from the scores.
pub struct Block<'a> {
    pub quads: usize,
    pub bytes: &'a [[u8; BYTES]],
    pub scales: &'a [[f32; GROUP]],
    pub halves: &'a [[f32; GROUP]],
}

impl Block<'_> {
    pub fn scan_plain(
        &self,
        queries: &[Option<Query<'_>>; TOGETHER],
        found: &mut impl FnMut(usize, usize, f32),
    ) {
        let groups = self.bytes.chunks_exact(self.quads).zip(self.scales.iter().zip(self.halves));
        for (group, (bytes, (scales, halves))) in groups.enumerate() {
            for (q, query) in queries.iter().enumerate() {
                let Some(query) = query else { continue };
                for (row, (scale, half)) in scales.iter().zip(halves).enumerate() {
                    let own = bytes.iter().flat_map(|quad| &quad[row * QUAD..(row + 1) * QUAD]);
                    let products =
                        own.zip(query.codes.as_flattened()).map(|(a, b)| i32::from(*a) * i32::from(*b));
                    let sum = products.sum::<i32>() - query.excess;
                    let score = sum as f32 * (scale * query.scale) - half;
                    if score >= query.threshold {
                        found(q, group * GROUP + row, score);
                    }
                }
            }
        }
    }

    /// The same with 64 products per instruction. Sums are integers, so the results have the same bits.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn scan_vnni(
        &self,
        queries: &[Option<Query<'_>>; TOGETHER],
        found: &mut impl FnMut(usize, usize, f32),
    ) {
        use std::arch::x86_64::{
            __m512, __m512i, _CMP_GE_OQ, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
            _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512, _mm512_sub_epi32,
            _mm512_sub_ps,
        };
        /// Groups that share the reads of the queries and have independent sums.
        const PAIR: usize = 2;
        // A missing query is replaced by the first one with a threshold that no product reaches.
        let Some(first) = queries.iter().flatten().next().copied() else { return };
        let missing = Query { threshold: f32::INFINITY, ..first };
        let queries = queries.map(|query| query.unwrap_or(missing));
        let numbers = self.scales.chunks(PAIR).zip(self.halves.chunks(PAIR));
        let groups = self.bytes.chunks(PAIR * self.quads).zip(numbers);
        for (pair, (bytes, (scales, halves))) in groups.enumerate() {
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
            for (which, (sums, (scales, halves))) in sums.iter().zip(scales.iter().zip(halves)).enumerate() {
                let [scales, halves] = [scales, halves].map(|numbers| cast::<[f32; GROUP], __m512>(*numbers));
                for (q, (sum, query)) in sums.iter().zip(&queries).enumerate() {
                    let sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(*sum, _mm512_set1_epi32(query.excess)));
                    let products = _mm512_mul_ps(sum, _mm512_mul_ps(scales, _mm512_set1_ps(query.scale)));
                    let scores = _mm512_sub_ps(products, halves);
                    let enough = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(scores, _mm512_set1_ps(query.threshold));
                    if enough != 0 {
                        let scores = cast::<__m512, [f32; GROUP]>(scores);
                        each(u32::from(enough), |row| {
                            found(q, (pair * PAIR + which) * GROUP + row, scores[row]);
                        });
                    }
                }
            }
        }
    }

    /// The same with vectors of half that width, which nearly every processor has.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    pub fn scan_avx2(
        &self,
        queries: &[Option<Query<'_>>; TOGETHER],
        found: &mut impl FnMut(usize, usize, f32),
    ) {
        use std::arch::x86_64::{
            __m128i, __m256, __m256i, _CMP_GE_OQ, _mm256_add_epi32, _mm256_cmp_ps, _mm256_cvtepi32_ps,
            _mm256_cvtepu8_epi16, _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_movemask_ps, _mm256_mul_ps,
            _mm256_permute4x64_epi64, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_ps,
            _mm256_setzero_si256, _mm256_sub_epi32, _mm256_sub_ps,
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
        let groups = self.bytes.chunks_exact(self.quads).zip(self.scales.iter().zip(self.halves));
        for (group, (bytes, (scales, squares))) in groups.enumerate() {
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
                let numbers = scales.as_chunks::<8>().0.iter().zip(squares.as_chunks::<8>().0);
                for (half, (sum, (scales, squares))) in halves.into_iter().zip(numbers).enumerate() {
                    // Adding neighbours leaves the rows in the order 0 1 4 5 2 3 6 7.
                    let sum: __m256i = _mm256_permute4x64_epi64::<0b1101_1000>(sum);
                    let sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sum, _mm256_set1_epi32(query.excess)));
                    let [scales, squares] = [scales, squares].map(|eight| cast::<[f32; 8], __m256>(*eight));
                    let products = _mm256_mul_ps(sum, _mm256_mul_ps(scales, _mm256_set1_ps(query.scale)));
                    let scores = _mm256_sub_ps(products, squares);
                    let enough = _mm256_cmp_ps::<_CMP_GE_OQ>(scores, _mm256_set1_ps(query.threshold));
                    let enough = _mm256_movemask_ps(enough) as u32;
                    if enough != 0 {
                        let scores = cast::<__m256, [f32; 8]>(scores);
                        each(enough, |row| found(q, group * GROUP + half * 8 + row, scores[row]));
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
