//! Looks: what files look like to one model, and how alike two of them are.

use super::exact::distance;
use crate::model::{Calibration, Cosines, Embeddings};
use crate::view::FileViews;

/// What a file looks like: the embedding of its picture, and what the views see of it if the model has views.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// The embedding, of length 1.
    pub embedding: Vec<f32>,
    /// What the views see.
    pub views: Option<FileViews>,
}

/// The looks of many files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looks {
    /// Their embeddings.
    pub embeddings: Embeddings,
    /// What the views see of each, or nothing if the model has no views.
    pub views: Vec<FileViews>,
}

impl Looks {
    /// None yet, with embeddings of this length.
    pub fn new(dimension: usize) -> Self {
        Self { embeddings: Embeddings::new(dimension), views: Vec::new() }
    }

    /// Adds one.
    pub fn push(&mut self, look: &Look) {
        self.embeddings.data.extend(&look.embedding);
        self.views.extend(look.views.clone());
    }

    /// The number of files.
    pub fn len(&self) -> usize {
        self.embeddings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.embeddings.is_empty()
    }

    /// One look, if there are as many.
    pub fn get(&self, i: usize) -> Option<Look> {
        let embedding = self.embeddings.row(i).to_vec();
        (!embedding.is_empty()).then(|| Look { embedding, views: self.views.get(i).cloned() })
    }

    /// Some of them, in their order. What is past the end is missing.
    pub fn range(&self, rows: std::ops::Range<usize>) -> Self {
        let Embeddings { dimension, data } = &self.embeddings;
        let end = rows.end.min(self.len());
        let start = rows.start.min(end);
        let data = data.get(start * dimension..end * dimension).unwrap_or_default().to_vec();
        let views = self.views.get(start..end).unwrap_or_default().to_vec();
        Self { embeddings: Embeddings { dimension: *dimension, data }, views }
    }

    /// The cosines of one of these files and one of `other`; `None` without views.
    pub fn cosines(&self, i: usize, other: &Self, j: usize) -> Option<Cosines> {
        Some(Cosines::of(self.views.get(i)?, other.views.get(j)?, self.embedding_cosine(i, other, j)))
    }

    /// The same with the cosines of text and header given.
    pub fn cosines_with_terms(
        &self,
        i: usize,
        other: &Self,
        j: usize,
        terms: [Option<f32>; 2],
    ) -> Option<Cosines> {
        let (a, b) = (self.views.get(i)?, other.views.get(j)?);
        Some(Cosines::with_terms(a, b, self.embedding_cosine(i, other, j), terms))
    }

    /// The cosine of their embeddings.
    pub fn embedding_cosine(&self, i: usize, other: &Self, j: usize) -> f32 {
        1.0 - distance(self.embeddings.row(i), other.embeddings.row(j))
    }
}

/// How alike files are of which every view abstains, before their embeddings are compared.
pub(super) const FAR: f32 = -1e3;

/// How alike two files are: higher is nearer. Files of which every view abstains are farther than all others, and compared by
/// their embeddings.
pub fn likeness(calibration: &Calibration, cosines: &Cosines, embeddings: impl FnOnce() -> f32) -> f32 {
    calibration.log_odds(cosines).unwrap_or_else(|| FAR + embeddings())
}
