//! Many embeddings as one row-major matrix.

/// A row-major matrix of embeddings, each of length 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    /// Length of one embedding.
    pub dimension: usize,
    /// `len · dimension` numbers.
    pub data: Vec<f32>,
}

impl Embeddings {
    /// An empty matrix for embeddings of this length.
    pub fn new(dimension: usize) -> Self {
        Self { dimension, data: Vec::new() }
    }

    /// The number of embeddings.
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.dimension).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// One row; empty if it does not exist.
    pub fn row(&self, i: usize) -> &[f32] {
        self.data.get(i * self.dimension..(i + 1) * self.dimension).unwrap_or(&[])
    }

    /// All rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.data.chunks_exact(self.dimension.max(1))
    }
}
