//! Copies: rows of a matrix that are equal, so that each distinct vector is compared once.

use crate::model::Embeddings;
use rayon::prelude::*;

/// The distinct vectors of a matrix, in the order of their first rows, and the rows of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copies {
    /// All rows, those of one vector after those of another, each in ascending order.
    rows: Vec<u32>,
    /// The first entry of each vector in `rows`; one more for the end.
    starts: Vec<u32>,
}

impl Copies {
    /// Finds the rows with equal bits.
    pub fn new(matrix: &Embeddings) -> Self {
        let n = matrix.len();
        let mut hashed: Vec<(u64, u32)> =
            (0..n).into_par_iter().map(|row| (hash(matrix.row(row)), row as u32)).collect();
        hashed.par_sort_unstable();
        // The first row of the vector of each row. Different vectors with one hash are rare and stay apart.
        let mut first: Vec<u32> = (0..n as u32).collect();
        for same in hashed.chunk_by(|a, b| a.0 == b.0) {
            for (i, (_, row)) in same.iter().enumerate().skip(1) {
                let equal = |other: &&(u64, u32)| bits_equal(matrix, *row, other.1);
                // Among copies the first one tried is equal.
                if let Some((_, other)) = same[..i].iter().find(equal) {
                    first[*row as usize] = first[*other as usize];
                }
            }
        }
        let mut rows: Vec<u32> = (0..n as u32).collect();
        rows.par_sort_unstable_by_key(|row| (first[*row as usize], *row));
        let mut starts: Vec<u32> = (0..n as u32)
            .filter(|i| {
                let row = rows[*i as usize];
                first[row as usize] == row
            })
            .collect();
        starts.push(n as u32);
        Self { rows, starts }
    }

    /// The number of distinct vectors.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows of a distinct vector, in ascending order.
    pub fn rows(&self, vector: usize) -> &[u32] {
        &self.rows[self.starts[vector] as usize..self.starts[vector + 1] as usize]
    }

    /// The first row of a distinct vector.
    pub fn first(&self, vector: usize) -> usize {
        self.rows[self.starts[vector] as usize] as usize
    }
}

fn bits_equal(matrix: &Embeddings, a: u32, b: u32) -> bool {
    let (a, b) = (matrix.row(a as usize), matrix.row(b as usize));
    a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Mixed as in MurmurHash3.
fn hash(row: &[f32]) -> u64 {
    row.iter().fold(row.len() as u64, |hash, value| {
        let mixed = (hash ^ u64::from(value.to_bits())).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ mixed >> 33
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_equal_bits_are_one_vector() {
        let data = vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, -0.0, 0.0, 1.0];
        let copies = Copies::new(&Embeddings { dimension: 2, data });
        let rows: Vec<&[u32]> = (0..copies.len()).map(|vector| copies.rows(vector)).collect();
        assert_eq!(rows, [&[0, 2][..], &[1, 4], &[3]]);
        assert_eq!(copies.first(1), 1);
        assert!(Copies::new(&Embeddings::new(3)).is_empty());
    }
}
