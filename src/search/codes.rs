//! Codes: unit vectors in a byte a number, a quarter of the memory to read, with which most of a
//! library is ruled out before the exact vectors are looked at.
//!
//! A row `x` is kept as `s·q` with `q` in −127 to 127 and its own scale `s`; what that loses has length
//! `e`. For two unit vectors with losses `e` and `f` the product of the codes differs from the true one by
//! at most `e + f + e·f`: so a row whose product of codes lies further than twice that below the k-th best
//! cannot be among the k nearest, and exact answers follow from few exact products.

use crate::model::Embeddings;

/// Codes are padded to whole vectors of this many bytes.
const LANE: usize = 32;

/// All rows of a matrix as codes.
pub struct Codes {
    /// Bytes of a row, a multiple of [`LANE`].
    width: usize,
    bytes: Vec<i8>,
    /// Of each row.
    scales: Vec<f32>,
    /// The longest of what the rows lost.
    loss: f32,
}

impl Codes {
    /// The codes of `rows`.
    pub fn of(rows: &Embeddings) -> Self {
        let width = rows.dimension.next_multiple_of(LANE);
        let mut codes = Self {
            width,
            bytes: vec![0; width * rows.len()],
            scales: Vec::with_capacity(rows.len()),
            loss: 0.0,
        };
        for (row, out) in rows.rows().zip(codes.bytes.chunks_exact_mut(width.max(1))) {
            let largest = row.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            let mut loss = 0.0_f32;
            for (v, out) in row.iter().zip(out) {
                let code = (v / scale).round().clamp(-127.0, 127.0);
                *out = code as i8;
                loss += (v - code * scale).powi(2);
            }
            codes.scales.push(scale);
            codes.loss = codes.loss.max(loss.sqrt());
        }
        codes
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// By how much a product of codes of this matrix and `other` may be wrong.
    pub fn error(&self, other: &Self) -> f32 {
        // A hair more, for the rounding of the products themselves.
        self.loss + other.loss + self.loss * other.loss + 1e-5
    }

    /// Rows `from..to` as codes and their scales.
    pub fn block(&self, from: usize, to: usize) -> Block<'_> {
        Block {
            width: self.width,
            bytes: &self.bytes[from * self.width..to * self.width],
            scales: &self.scales[from..to],
        }
    }
}

/// Some rows in a row.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    width: usize,
    bytes: &'a [i8],
    scales: &'a [f32],
}

impl Block<'_> {
    /// The products of each row of `self` with up to four rows of `queries`: `out[query][row]`. Places
    /// without a query are left with anything.
    pub fn products(self, queries: Self, out: &mut [&mut [f32]; 4]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            unsafe { self.products_avx2(queries, out) };
            return;
        }
        self.products_plain(queries, out);
    }

    fn products_plain(self, queries: Self, out: &mut [&mut [f32]; 4]) {
        let asked = queries.bytes.chunks_exact(self.width).zip(queries.scales);
        for (out, (query, scale)) in out.iter_mut().zip(asked) {
            let rows = self.bytes.chunks_exact(self.width).zip(self.scales);
            for (out, (row, row_scale)) in out.iter_mut().zip(rows) {
                let sum: i32 = row.iter().zip(query).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
                *out = sum as f32 * (row_scale * scale);
            }
        }
    }

    /// The same for four queries at once: a row is read and widened once for all four. Sums of whole
    /// numbers, so the result is the same to the bit.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn products_avx2(self, queries: Self, out: &mut [&mut [f32]; 4]) {
        use std::arch::x86_64::{
            __m128i, __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_shuffle_epi32, _mm256_add_epi32,
            _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_extracti128_si256, _mm256_madd_epi16,
            _mm256_setzero_si256,
        };
        /// Sixteen codes as sixteen 16-bit numbers.
        #[target_feature(enable = "avx2")]
        fn wide(codes: &[i8; 16]) -> __m256i {
            // SAFETY: both are sixteen bytes without a meaning of their own.
            _mm256_cvtepi8_epi16(unsafe { std::mem::transmute::<[i8; 16], __m128i>(*codes) })
        }
        #[target_feature(enable = "avx2")]
        fn total(sums: __m256i) -> i32 {
            let half = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
            let pair = _mm_add_epi32(half, _mm_shuffle_epi32::<0b0100_1110>(half));
            _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32::<0b1011_0001>(pair)))
        }
        let steps = self.width / 16;
        // Widened once for all rows.
        let asked: Vec<[__m256i; 4]> = (0..steps)
            .map(|step| {
                std::array::from_fn(|query| {
                    let all = queries.bytes.as_chunks::<16>().0;
                    all.get(query * steps + step).map_or(_mm256_setzero_si256(), |codes| wide(codes))
                })
            })
            .collect();
        let [a, b, c, d] = out;
        let scales: [f32; 4] = std::array::from_fn(|query| queries.scales.get(query).copied().unwrap_or(0.0));
        let places = a.iter_mut().zip(b.iter_mut()).zip(c.iter_mut().zip(d.iter_mut()));
        let rows = self.bytes.chunks_exact(self.width).zip(self.scales);
        for (((a, b), (c, d)), (row, scale)) in places.zip(rows) {
            let mut sums = [_mm256_setzero_si256(); 4];
            for (codes, asked) in row.as_chunks::<16>().0.iter().zip(&asked) {
                let codes = wide(codes);
                for (sum, asked) in sums.iter_mut().zip(asked) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(codes, *asked));
                }
            }
            for ((out, sum), query) in [a, b, c, d].into_iter().zip(sums).zip(scales) {
                *out = total(sum) as f32 * (scale * query);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::tests::random;

    fn four_of(places: &mut [Vec<f32>]) -> [&mut [f32]; 4] {
        places.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn the_fast_products_are_the_plain_ones_to_the_bit_and_near_the_true_ones() {
        for dimension in [1, 7, 31, 32, 64, 100] {
            let (rows, asked) = (random(37, dimension), random(4, dimension));
            let (codes, queries) = (Codes::of(&rows), Codes::of(&asked));
            let mut plain = vec![vec![0.0; 37]; 4];
            let mut fast = plain.clone();
            let (block, four) = (codes.block(0, 37), queries.block(0, 4));
            block.products_plain(four, &mut four_of(&mut plain));
            block.products(four, &mut four_of(&mut fast));
            assert_eq!(plain, fast);
            let error = codes.error(&queries);
            for (query, found) in fast.iter().enumerate() {
                for (row, found) in found.iter().enumerate() {
                    let pairs = rows.row(row).iter().zip(asked.row(query));
                    let truth: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    assert!((truth - f64::from(*found)).abs() <= f64::from(error), "{truth} {found}");
                }
            }
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
