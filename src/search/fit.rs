//! A fit: few numbers for each file that stand for all its views, to draw a library as a map. They are the principal
//! components of the library's own looks, each reduced to a sketch first (Weinberger et al., "Feature Hashing for Large Scale
//! Multitask Learning", 2009).

use super::look::Looks;
use super::term_sketch::add_terms;
use crate::model::Embeddings;
use crate::numeric::{dot, principal_axes};
use rayon::prelude::*;

/// Numbers of a sketch of the text, and of the header.
const TEXT: usize = 512;
const HEADER: usize = 256;
/// The length of the vectors, at most.
const DIMENSION: usize = 64;
/// Files from which the components are computed, evenly spread.
const SAMPLED: usize = 1000;
/// What a view weighs beside the text.
const HEADER_WEIGHT: f32 = 0.5;
const CODE_WEIGHT: f32 = 0.4;

/// A unit vector for each of `looks`, in their order.
pub fn fit(looks: &Looks) -> Embeddings {
    ViewFit::new(looks).vectors(looks)
}

/// The components of the looks of a library, or of a sample of it.
pub struct ViewFit(Vec<Vec<f32>>);

impl ViewFit {
    /// Those of `looks`.
    pub fn new(looks: &Looks) -> Self {
        // They are not centred: a library of one family is drawn by what its files have in common too.
        let every = looks.len().div_ceil(SAMPLED).max(1);
        let rows: Vec<usize> = (0..looks.len()).step_by(every).collect();
        let sketches: Vec<Vec<f32>> = rows.par_iter().map(|row| sketch(looks, *row)).collect();
        Self(principal_axes(&sketches.iter().map(Vec::as_slice).collect::<Vec<_>>(), DIMENSION))
    }

    /// A unit vector for each of `looks`, in their order.
    pub fn vectors(&self, looks: &Looks) -> Embeddings {
        let vector = |row: usize| {
            let sketch = sketch(looks, row);
            unit(self.0.iter().map(|axis| dot(axis, &sketch)).collect())
        };
        let mut data: Vec<f32> = (0..looks.len()).into_par_iter().flat_map_iter(vector).collect();
        data.shrink_to_fit();
        Embeddings { dimension: self.0.len(), data }
    }
}

/// All views of one file side by side: random signs by bin, and the embedding.
fn sketch(looks: &Looks, row: usize) -> Vec<f32> {
    let mut sketch = vec![0.0; TEXT + HEADER + looks.embeddings.dimension];
    let (text, rest) = sketch.split_at_mut(TEXT);
    let (header, code) = rest.split_at_mut(HEADER);
    if let Some(views) = looks.views.get(row) {
        views.text.iter().for_each(|terms| add_terms(text, terms, 1.0));
        views.header.iter().for_each(|terms| add_terms(header, terms, HEADER_WEIGHT));
    }
    for (to, from) in code.iter_mut().zip(looks.embeddings.row(row)) {
        *to = from * CODE_WEIGHT;
    }
    unit(sketch)
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = dot(&vector, &vector).sqrt();
    match vector.first_mut() {
        // Of nothing at all, any direction: the same for all such files.
        Some(first) if length < 1e-12 => *first = 1.0,
        _ => vector.iter_mut().for_each(|value| *value /= length),
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Look;
    use crate::view::{FileViews, Terms};

    #[test]
    fn files_of_equal_views_are_near_and_others_are_not() {
        let mut looks = Looks::new(4);
        for i in 0..90_u32 {
            let family = i % 9;
            let text = (0..30).map(|j| (family * 5000 + j * 17, 1.0)).chain([(700_000 + i, 1.0)]).collect();
            let views = FileViews { text: Terms::heaviest(text, 1, 64), ..FileViews::default() };
            looks.push(&Look { embedding: vec![0.5; 4], views: Some(views) });
        }
        let vectors = fit(&looks);
        assert_eq!((vectors.len(), vectors.dimension), (90, DIMENSION));
        assert_eq!(vectors, fit(&looks), "the same looks give the same vectors");
        for row in vectors.rows() {
            assert!((dot(row, row) - 1.0).abs() < 1e-4);
        }
        let alike = dot(vectors.row(0), vectors.row(9));
        let unlike = dot(vectors.row(0), vectors.row(1));
        assert!(alike > 0.9 && unlike < 0.4, "{alike} {unlike}");
    }

    #[test]
    fn few_files_and_files_of_nothing_have_vectors_too() {
        let mut looks = Looks::new(2);
        looks.push(&Look { embedding: vec![0.0; 2], views: Some(FileViews::default()) });
        let vectors = fit(&looks);
        assert_eq!(vectors.len(), 1);
        assert!(vectors.data.iter().all(|value| value.is_finite()));
        assert!(fit(&Looks::new(2)).is_empty());
    }
}
