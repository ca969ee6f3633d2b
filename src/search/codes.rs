//! Codes: unit vectors in a byte a number, a quarter of the memory to read, with which most of a
//! library is ruled out before the exact vectors are looked at.
//!
//! A row `x` is kept as `s·q` with `q` in −127 to 127 and its own scale `s`; what that loses has length
//! `e`. For two unit vectors with losses `e` and `f` the product of the codes differs from the true one by
//! at most `e + f + e·f`: so a row whose product of codes lies further than twice that below the k-th best
//! cannot be among the k nearest, and exact answers follow from few exact products.
//!
//! Sixteen rows stand together, four numbers of one after four of the next, so that a vector of the
//! processor holds like numbers of all of them, and sums never have to be added up across it.

use crate::model::Embeddings;
use std::ops::Range;

/// Rows that stand together.
pub const GROUP: usize = 16;
/// Numbers of one row that stand together.
const QUAD: usize = 4;
/// Questions that are compared together.
pub const TOGETHER: usize = 4;
/// Bytes of a quad of a group.
const BYTES: usize = GROUP * QUAD;
/// Codes of rows are kept above 0, which instructions ask for.
const ABOVE: i32 = 128;

/// All rows of a matrix as codes.
pub struct Codes {
    rows: usize,
    quads: usize,
    /// `[group][quad][row of the group][number of the quad]`, each a code and 128 more.
    bytes: Vec<u8>,
    /// Of each row, filled up to whole groups.
    scales: Vec<f32>,
    /// The longest of what the rows lost.
    loss: f32,
}

/// Rows that are compared with all of a [`Codes`].
pub struct Questions {
    quads: usize,
    /// `[row][quad][4]`.
    codes: Vec<i8>,
    scales: Vec<f32>,
    /// By how much a sum of products is too large, since codes of rows are kept 128 too large.
    excess: Vec<i32>,
    loss: f32,
}

/// A row as codes, its scale, and the length of what is lost.
fn quantise(row: &[f32], codes: &mut [i8]) -> (f32, f32) {
    let largest = row.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let mut loss = 0.0_f32;
    for (v, out) in row.iter().zip(codes) {
        let code = (v / scale).round().clamp(-127.0, 127.0);
        *out = code as i8;
        loss += (v - code * scale).powi(2);
    }
    (scale, loss.sqrt())
}

impl Codes {
    /// The codes of `rows`.
    pub fn of(rows: &Embeddings) -> Self {
        let quads = rows.dimension.div_ceil(QUAD);
        let groups = rows.len().div_ceil(GROUP);
        let mut codes = Self {
            rows: rows.len(),
            quads,
            bytes: vec![ABOVE as u8; groups * quads * BYTES],
            scales: vec![0.0; groups * GROUP],
            loss: 0.0,
        };
        let mut own = vec![0_i8; quads * QUAD];
        for (i, row) in rows.rows().enumerate() {
            let (scale, loss) = quantise(row, &mut own);
            codes.scales[i] = scale;
            codes.loss = codes.loss.max(loss);
            let (group, lane) = (i / GROUP * quads * BYTES, i % GROUP * QUAD);
            for (quad, codes_of_quad) in own.as_chunks::<QUAD>().0.iter().enumerate() {
                let at = group + quad * BYTES + lane;
                for (out, code) in codes.bytes[at..at + QUAD].iter_mut().zip(codes_of_quad) {
                    *out = (i32::from(*code) + ABOVE) as u8;
                }
            }
        }
        codes
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// By how much a product of codes of this matrix and `questions` may be wrong.
    pub fn error(&self, questions: &Questions) -> f32 {
        // A hair more, for the rounding of the products themselves.
        self.loss + questions.loss + self.loss * questions.loss + 1e-5
    }

    /// Compares `rows` (whole groups, or up to the end) with up to [`TOGETHER`] questions from `first` on.
    /// Calls `found` with the question, counted from there, the row and the product for each product of at
    /// least `least`, in the order of rows for each question.
    pub fn scan(
        &self,
        rows: Range<usize>,
        questions: &Questions,
        first: usize,
        least: &[f32; TOGETHER],
        mut found: impl FnMut(usize, usize, f32),
    ) {
        if questions.quads != self.quads || self.quads == 0 {
            return;
        }
        let own = self.quads * QUAD;
        let asked: [Option<Asked<'_>>; TOGETHER] = std::array::from_fn(|i| {
            let q = first + i;
            let codes = questions.codes.get(q * own..(q + 1) * own)?.as_chunks().0;
            Some(Asked {
                codes,
                scale: *questions.scales.get(q)?,
                excess: *questions.excess.get(q)?,
                least: least[i],
            })
        });
        let groups = rows.start / GROUP..rows.end.div_ceil(GROUP);
        let bytes = &self.bytes[groups.start * self.quads * BYTES..groups.end * self.quads * BYTES];
        let scales = &self.scales[groups.start * GROUP..groups.end * GROUP];
        let block = Block { quads: self.quads, bytes: bytes.as_chunks().0, scales: scales.as_chunks().0 };
        let mut within = |question: usize, row: usize, product: f32| {
            let row = groups.start * GROUP + row;
            // A group may be filled up with rows that are none.
            if row < rows.end {
                found(question, row, product);
            }
        };
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bw") && has!("avx512vnni") {
                // SAFETY: the processor has what the function asks for.
                unsafe { block.scan_vnni(&asked, &mut within) };
                return;
            }
            if has!("avx2") {
                // SAFETY: likewise.
                unsafe { block.scan_avx2(&asked, &mut within) };
                return;
            }
        }
        block.scan_plain(&asked, &mut within);
    }
}

impl Questions {
    /// The codes of `rows`.
    pub fn of(rows: &Embeddings) -> Self {
        let quads = rows.dimension.div_ceil(QUAD);
        let mut questions = Self {
            quads,
            codes: vec![0; rows.len() * quads * QUAD],
            scales: Vec::with_capacity(rows.len()),
            excess: Vec::with_capacity(rows.len()),
            loss: 0.0,
        };
        for (row, codes) in rows.rows().zip(questions.codes.chunks_exact_mut((quads * QUAD).max(1))) {
            let (scale, loss) = quantise(row, codes);
            questions.scales.push(scale);
            questions.excess.push(ABOVE * codes.iter().map(|code| i32::from(*code)).sum::<i32>());
            questions.loss = questions.loss.max(loss);
        }
        questions
    }
}

/// One question.
#[derive(Clone, Copy)]
struct Asked<'a> {
    codes: &'a [[i8; QUAD]],
    scale: f32,
    excess: i32,
    least: f32,
}

/// Some groups in a row.
struct Block<'a> {
    quads: usize,
    bytes: &'a [[u8; BYTES]],
    scales: &'a [[f32; GROUP]],
}

impl Block<'_> {
    fn scan_plain(&self, asked: &[Option<Asked<'_>>; TOGETHER], found: &mut impl FnMut(usize, usize, f32)) {
        for (group, (bytes, scales)) in self.bytes.chunks_exact(self.quads).zip(self.scales).enumerate() {
            for (question, asked) in asked.iter().enumerate() {
                let Some(asked) = asked else { continue };
                for (row, scale) in scales.iter().enumerate() {
                    let own = bytes.iter().flat_map(|quad| &quad[row * QUAD..(row + 1) * QUAD]);
                    let products =
                        own.zip(asked.codes.as_flattened()).map(|(a, b)| i32::from(*a) * i32::from(*b));
                    let product = (products.sum::<i32>() - asked.excess) as f32 * (scale * asked.scale);
                    if product >= asked.least {
                        found(question, group * GROUP + row, product);
                    }
                }
            }
        }
    }

    /// The same, 64 products an instruction. Sums are whole numbers, so the results are the same to the bit.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn scan_vnni(&self, asked: &[Option<Asked<'_>>; TOGETHER], found: &mut impl FnMut(usize, usize, f32)) {
        use std::arch::x86_64::{
            __m512, __m512i, _CMP_GE_OQ, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
            _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512, _mm512_sub_epi32,
        };
        /// Groups that share what is read of the questions, and whose sums do not wait for each other.
        const PAIR: usize = 2;
        // A question that is not there is compared like the first, and nothing is found for it.
        let Some(some) = asked.iter().flatten().next().copied() else { return };
        let nobody =
            Asked { codes: some.codes, scale: some.scale, excess: some.excess, least: f32::INFINITY };
        let all = asked.map(|asked| asked.unwrap_or(nobody));
        let groups = self.bytes.chunks(PAIR * self.quads).zip(self.scales.chunks(PAIR));
        for (pair, (bytes, scales)) in groups.enumerate() {
            let (one, other) = bytes.split_at(self.quads);
            // At the end the last group stands for the one that is missing.
            let other = if other.is_empty() { one } else { other };
            let mut sums = [[_mm512_setzero_si512(); TOGETHER]; PAIR];
            for (quad, (a, b)) in one.iter().zip(other).enumerate() {
                // SAFETY: both are 64 bytes without a meaning of their own.
                let rows = [a, b].map(|bytes| unsafe { std::mem::transmute::<[u8; BYTES], __m512i>(*bytes) });
                for (question, asked) in all.iter().enumerate() {
                    let codes = asked.codes.get(quad).copied().unwrap_or_default().map(|code| code as u8);
                    let codes = _mm512_set1_epi32(i32::from_le_bytes(codes));
                    for (sums, rows) in sums.iter_mut().zip(rows) {
                        sums[question] = _mm512_dpbusd_epi32(sums[question], rows, codes);
                    }
                }
            }
            for (which, (sums, scales)) in sums.iter().zip(scales).enumerate() {
                // SAFETY: both are sixteen numbers.
                let scales = unsafe { std::mem::transmute::<[f32; GROUP], __m512>(*scales) };
                for (question, (sum, asked)) in sums.iter().zip(&all).enumerate() {
                    let sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(*sum, _mm512_set1_epi32(asked.excess)));
                    let products = _mm512_mul_ps(sum, _mm512_mul_ps(scales, _mm512_set1_ps(asked.scale)));
                    let enough = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(products, _mm512_set1_ps(asked.least));
                    if enough != 0 {
                        // SAFETY: as above.
                        let products = unsafe { std::mem::transmute::<__m512, [f32; GROUP]>(products) };
                        each(u32::from(enough), |row| {
                            found(question, (pair * PAIR + which) * GROUP + row, products[row]);
                        });
                    }
                }
            }
        }
    }

    /// The same with vectors of half that width, which nearly every processor has.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn scan_avx2(&self, asked: &[Option<Asked<'_>>; TOGETHER], found: &mut impl FnMut(usize, usize, f32)) {
        use std::arch::x86_64::{
            __m128i, __m256, __m256i, _CMP_GE_OQ, _mm256_add_epi32, _mm256_cmp_ps, _mm256_cvtepi32_ps,
            _mm256_cvtepu8_epi16, _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_movemask_ps, _mm256_mul_ps,
            _mm256_permute4x64_epi64, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_ps,
            _mm256_setzero_si256, _mm256_sub_epi32,
        };
        // As 16-bit numbers, four of them in a word, once for all rows.
        let words: Vec<Vec<i64>> = asked
            .iter()
            .map(|asked| {
                let quads = asked.map_or(&[][..], |asked| asked.codes);
                let word = |quad: &[i8; QUAD]| {
                    quad.iter()
                        .rev()
                        .fold(0_i64, |word, code| word << 16 | i64::from(i16::from(*code) as u16))
                };
                quads.iter().map(word).collect()
            })
            .collect();
        for (group, (bytes, scales)) in self.bytes.chunks_exact(self.quads).zip(self.scales).enumerate() {
            for (question, (asked, words)) in asked.iter().zip(&words).enumerate() {
                let Some(asked) = asked else { continue };
                // Four rows each, two sums a row.
                let mut sums = [_mm256_setzero_si256(); 4];
                for (bytes, word) in bytes.iter().zip(words) {
                    let word = _mm256_set1_epi64x(*word);
                    for (sum, four) in sums.iter_mut().zip(bytes.as_chunks::<16>().0) {
                        // SAFETY: both are sixteen bytes without a meaning of their own.
                        let four = unsafe { std::mem::transmute::<[u8; 16], __m128i>(*four) };
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_cvtepu8_epi16(four), word));
                    }
                }
                let halves = [_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3])];
                for (half, (sum, scales)) in halves.into_iter().zip(scales.as_chunks::<8>().0).enumerate() {
                    // Adding neighbours up leaves the rows in the order 0 1 4 5 2 3 6 7.
                    let sum: __m256i = _mm256_permute4x64_epi64::<0b1101_1000>(sum);
                    let sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sum, _mm256_set1_epi32(asked.excess)));
                    // SAFETY: both are eight numbers.
                    let scales = unsafe { std::mem::transmute::<[f32; 8], __m256>(*scales) };
                    let products = _mm256_mul_ps(sum, _mm256_mul_ps(scales, _mm256_set1_ps(asked.scale)));
                    let enough = _mm256_cmp_ps::<_CMP_GE_OQ>(products, _mm256_set1_ps(asked.least));
                    let enough = _mm256_movemask_ps(enough) as u32;
                    if enough != 0 {
                        // SAFETY: as above.
                        let products = unsafe { std::mem::transmute::<__m256, [f32; 8]>(products) };
                        each(enough, |row| found(question, group * GROUP + half * 8 + row, products[row]));
                    }
                }
            }
        }
    }
}

/// Calls `work` with the number of each bit that is set, the lowest first.
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
    use crate::search::tests::random;

    type Found = Vec<(usize, usize, u32)>;
    type Emit<'a> = dyn FnMut(usize, usize, f32) + 'a;

    /// By each way that this processor knows.
    fn every_way(codes: &Codes, questions: &Questions, first: usize, least: &[f32; TOGETHER]) -> Vec<Found> {
        let own = codes.quads * QUAD;
        let asked: [Option<Asked<'_>>; TOGETHER] = std::array::from_fn(|i| {
            let q = first + i;
            let all = questions.codes.get(q * own..(q + 1) * own)?.as_chunks().0;
            Some(Asked {
                codes: all,
                scale: questions.scales[q],
                excess: questions.excess[q],
                least: least[i],
            })
        });
        let block = Block {
            quads: codes.quads,
            bytes: codes.bytes.as_chunks().0,
            scales: codes.scales.as_chunks().0,
        };
        let mut ways = Vec::new();
        let mut way = |scan: &dyn Fn(&mut Emit<'_>)| {
            let mut all = Found::new();
            scan(&mut |question, row, product| all.push((question, row, product.to_bits())));
            all.sort_unstable();
            ways.push(all);
        };
        way(&|mut found| block.scan_plain(&asked, &mut found));
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") {
                // SAFETY: the processor has it.
                way(&|mut found| unsafe { block.scan_avx2(&asked, &mut found) });
            }
            if has!("avx512f") && has!("avx512bw") && has!("avx512vnni") {
                // SAFETY: the processor has them.
                way(&|mut found| unsafe { block.scan_vnni(&asked, &mut found) });
            }
        }
        ways
    }

    #[test]
    fn every_way_gives_the_same_bits_and_all_are_near_the_truth() {
        for (n, dimension) in [(1, 1), (37, 7), (37, 31), (32, 32), (100, 64), (17, 100)] {
            let (rows, asked) = (random(n, dimension), random(5, dimension));
            let (codes, questions) = (Codes::of(&rows), Questions::of(&asked));
            for first in [0, 4] {
                for least in [[f32::NEG_INFINITY; TOGETHER], [0.1, -0.2, f32::INFINITY, 0.0]] {
                    let ways = every_way(&codes, &questions, first, &least);
                    assert!(ways.iter().all(|way| *way == ways[0]), "{n} {dimension}");
                }
            }
            let error = f64::from(codes.error(&questions));
            let mut seen = 0;
            codes.scan(0..n, &questions, 0, &[f32::NEG_INFINITY; TOGETHER], |question, row, found| {
                let pairs = rows.row(row).iter().zip(asked.row(question));
                let truth: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                assert!((truth - f64::from(found)).abs() <= error, "{truth} {found}");
                seen += 1;
            });
            assert_eq!(seen, n * TOGETHER);
        }
    }

    #[test]
    fn rows_of_nothing_are_no_trouble() {
        let rows = Embeddings { dimension: 4, data: vec![0.0; 12] };
        let codes = Codes::of(&rows);
        assert_eq!((codes.len(), codes.loss), (3, 0.0));
        assert_eq!(Codes::of(&Embeddings::new(4)).len(), 0);
    }
}
