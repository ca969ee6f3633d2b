//! A block: the looks of some samples as a library stores them, on the way to where they are compared.

use super::row::parse_vector;
use crate::search::Looks;
use crate::view::FileViews;
use rayon::prelude::*;

/// A block has at most these samples, and about as many bytes.
const SAMPLES: usize = 4096;
const BYTES: usize = 1 << 20;

/// Some samples as the file has them, ids rising.
#[derive(Default)]
pub struct Block {
    /// The ids of the samples.
    pub samples: Vec<i64>,
    vectors: Vec<u8>,
    seen: Vec<u8>,
    /// Where what the views see of each sample ends in `seen`; empty without views.
    ends: Vec<usize>,
}

impl Block {
    /// Adds a sample: its id, higher than those before, its embedding as stored, and what the views see of it, if the model has any.
    pub fn push(&mut self, sample: i64, vector: &[u8], seen: Option<&[u8]>) {
        self.samples.push(sample);
        self.vectors.extend(vector);
        if let Some(seen) = seen {
            self.seen.extend(seen);
            self.ends.push(self.seen.len());
        }
    }

    /// Whether it should be passed on.
    pub fn is_full(&self) -> bool {
        self.samples.len() >= SAMPLES || self.vectors.len() + self.seen.len() >= BYTES
    }

    /// The looks of its samples; `None` if this program would not have written them.
    pub fn looks(&self, dimension: usize) -> Option<Looks> {
        let mut looks = Looks::new(dimension);
        looks.embeddings.data.reserve(self.vectors.len() / 4);
        for vector in self.vectors.chunks_exact(dimension.checked_mul(4).filter(|bytes| *bytes > 0)?) {
            parse_vector(vector, dimension, &mut looks.embeddings.data)?;
        }
        let seen = |i: usize| {
            let first = if i == 0 { 0 } else { *self.ends.get(i - 1)? };
            FileViews::from_bytes(self.seen.get(first..*self.ends.get(i)?)?)
        };
        looks.views = (0..self.ends.len()).into_par_iter().map(seen).collect::<Option<_>>()?;
        Some(looks)
    }
}
