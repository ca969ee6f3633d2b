//! A candidate vector: what a model makes of a file as one vector, by which an index finds the files that may be near. They are then
//! compared by all that the model makes of them, so the vector decides what is compared and never how near it is.
//!
//! Without views it is the embedding. With them, the log-odds of two files are a sum over the views ([`Calibration`]). Here each view is taken for a straight line, so the sum is an
//! inner product: of the sketches of text and header, of the embeddings, and of the byte pairs or the perceptual hash, each multiplied
//! by the root of what the view weighs. A view that abstains has a number of its own, of the same length, so all vectors are equally
//! long and a graph of them is one of distances. A query has there what the calibration says of a view that abstains.
//!
//! A vector depends on the file and the model alone, and is stored.

use super::look::Look;
use super::term_sketch::add_terms;
use crate::model::{Calibration, ModelConfig, VIEWS};
use crate::numeric::dot;
use crate::picture::PictureKind;
use crate::view::{FileViews, PAIR_NUMBERS, Terms};

/// The version of the vectors: those of another one cannot be compared. It is raised together with the version of the tables that
/// hold them, so that no earlier program adds some of its own.
pub const CANDIDATE: i32 = 1;

/// Numbers of the sketch of the text, and of the header: 384 find as much as 512 do among 112,000 files of an operating system.
const TEXT: usize = 384;
const HEADER: usize = 125;
/// The bits of a perceptual hash.
const HASH: usize = 256;
/// A view weighs at least this, so that nothing is divided by zero.
const LEAST: f32 = 0.01;

/// Makes the candidate vectors of a model.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// Roots of what the views weigh, if the model compares views.
    roots: Option<[f32; VIEWS]>,
    images: bool,
    embedding: usize,
}

/// Views in the order of the calibration. They are in a vector one after the other, some together: both see a file, or neither does.
const OF_TEXT: &[usize] = &[0];
const OF_CODE: &[usize] = &[1];
const OF_HEADER: &[usize] = &[2];
const OF_IMAGE: &[usize] = &[3, 4];

impl Candidates {
    /// Those of a model with or without views. One that is not calibrated compares embeddings alone.
    pub fn of(config: &ModelConfig, with_views: bool) -> Self {
        let calibration = config.calibration.as_ref().filter(|_| with_views);
        let roots =
            calibration.map(|calibration| calibration.views.map(|view| view.slope().max(LEAST).sqrt()));
        Self { roots, images: config.picture.kind == PictureKind::Image, embedding: config.embedding }
    }

    /// The numbers of a vector.
    pub fn dimension(&self) -> usize {
        match (self.roots, self.images) {
            (None, _) => self.embedding,
            (Some(_), true) => self.embedding + HASH + 1,
            (Some(_), false) => TEXT + 1 + HEADER + 1 + self.embedding + PAIR_NUMBERS + 1,
        }
    }

    /// The vector of a file as it is stored; `None` if views are compared and it has none.
    pub fn stored(&self, look: &Look) -> Option<Vec<f32>> {
        let Some(roots) = self.roots else { return Some(look.embedding.clone()) };
        self.joined(look, roots, |_| 0.0, |views| length(&roots, views))
    }

    /// The vector of a query, whose inner products with those of files are about their log-odds, or the cosines if there is no
    /// calibration. `None` if every view abstains, so that it has no nearest.
    pub fn query(&self, look: &Look, calibration: Option<&Calibration>) -> Option<Vec<f32>> {
        let (roots, calibration) = match (self.roots, calibration) {
            (Some(roots), Some(calibration)) => (roots, calibration),
            (None, None) => return Some(look.embedding.clone()),
            _ => return None,
        };
        if look.views.as_ref()?.abstain() {
            return None;
        }
        let mut weights = roots;
        for (weight, view) in weights.iter_mut().zip(&calibration.views) {
            *weight = view.slope() / *weight;
        }
        let abstains = |views: &[usize]| {
            let sum: f32 = views.iter().map(|view| calibration.views[*view].abstains).sum();
            sum / length(&roots, views)
        };
        self.joined(look, weights, abstains, |_| 0.0)
    }

    /// What the views see of a file, multiplied by `weights`; behind each what stands there if it sees the file or does not.
    fn joined(
        &self,
        look: &Look,
        [text, code, header, image, hash]: [f32; VIEWS],
        seen: impl Fn(&[usize]) -> f32,
        unseen: impl Fn(&[usize]) -> f32,
    ) -> Option<Vec<f32>> {
        let views = look.views.as_ref()?;
        let mut vector = Vec::with_capacity(self.dimension());
        let mut join = |of: &[usize], width: usize, part: Option<Vec<f32>>| match part {
            Some(part) => vector.extend(part.into_iter().chain([seen(of)])),
            None => {
                vector.resize(vector.len() + width, 0.0);
                vector.push(unseen(of));
            }
        };
        if self.images {
            join(OF_IMAGE, self.embedding + HASH, of_image(look, views, image, hash));
        } else {
            join(OF_TEXT, TEXT, views.text.as_ref().map(|terms| of_terms(terms, TEXT, text)));
            join(OF_HEADER, HEADER, views.header.as_ref().map(|terms| of_terms(terms, HEADER, header)));
            join(OF_CODE, self.embedding + PAIR_NUMBERS, of_code(look, views, code));
        }
        Some(vector)
    }
}

/// The length of a stored vector where these views are.
fn length(roots: &[f32; VIEWS], views: &[usize]) -> f32 {
    views.iter().map(|view| roots[*view].powi(2)).sum::<f32>().sqrt()
}

fn of_terms(terms: &Terms, width: usize, weight: f32) -> Vec<f32> {
    let mut sketch = vec![0.0; width];
    add_terms(&mut sketch, terms, 1.0);
    scaled(sketch, weight)
}

/// The mean of two cosines is the inner product of both vectors, each divided by the root of two.
fn of_code(look: &Look, views: &FileViews, weight: f32) -> Option<Vec<f32>> {
    let weight = weight * std::f32::consts::FRAC_1_SQRT_2;
    let pairs = views.code.as_ref()?.to_bytes();
    let pairs = pairs.into_iter().map(|byte| f32::from(byte.cast_signed())).collect();
    let embedding = look.embedding.iter().map(|value| value * weight);
    Some(embedding.chain(scaled(pairs, weight)).collect())
}

/// The cosine of two hashes is that of their bits as −1 and 1.
fn of_image(look: &Look, views: &FileViews, image: f32, hash: f32) -> Option<Vec<f32>> {
    let bits = views.hash?.0.into_iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    let signs = bits.map(|bit| if bit == 1 { 1.0 } else { -1.0 }).collect();
    let embedding = look.embedding.iter().map(|value| value * image);
    Some(embedding.chain(scaled(signs, hash)).collect())
}

/// The vector with this length, or zeros.
fn scaled(mut vector: Vec<f32>, to: f32) -> Vec<f32> {
    let length = dot(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value *= to / length);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cosines, base_model};
    use crate::view::{ImageHash, Pairs};

    fn unit_of(seed: usize, n: usize) -> Vec<f32> {
        scaled((0..n).map(|i| ((i * 7 + seed * 31) as f32).sin()).collect(), 1.0)
    }

    /// A file of bytes; each number seeds what a view sees, and without one it abstains.
    fn bytes(text: Option<u32>, header: Option<u32>, code: Option<usize>) -> Look {
        let terms = |seed: u32| {
            let weighted = (0..200).map(|i| (seed * 40 + i * 3, 1.0)).collect();
            Terms::heaviest(weighted, 1, 200)
        };
        let pairs = |seed: usize| {
            let bytes =
                unit_of(seed, PAIR_NUMBERS).iter().map(|v| (v * 500.0) as i8 as u8).collect::<Vec<_>>();
            Pairs::from_bytes(&bytes)
        };
        let views = FileViews {
            text: text.and_then(terms),
            header: header.and_then(terms),
            code: code.and_then(pairs),
            ..FileViews::default()
        };
        Look { embedding: unit_of(code.unwrap_or(5), 64), views: Some(views) }
    }

    fn image(seed: usize, dimension: usize) -> Look {
        let views = FileViews { hash: Some(ImageHash([seed as u8; 32])), ..FileViews::default() };
        Look { embedding: unit_of(seed, dimension), views: Some(views) }
    }

    /// The log-odds if each view were a straight line.
    fn straight(calibration: &Calibration, cosines: &Cosines) -> f32 {
        let view = |(view, cosine): (&crate::model::ViewWeights, Option<f32>)| match cosine {
            Some(cosine) => view.slope() * cosine,
            None => view.abstains,
        };
        calibration.views.iter().zip(cosines.all()).map(view).sum()
    }

    #[test]
    fn an_inner_product_is_about_the_log_odds_of_straight_views() {
        for kind in [PictureKind::Bytes, PictureKind::Image] {
            let model = base_model(kind).unwrap();
            let candidates = Candidates::of(&model.config, true);
            let labels = model.config.calibration_with_labels.as_ref().unwrap();
            let files = match kind {
                PictureKind::Image => vec![image(1, 256), image(3, 256), image(200, 256)],
                _ => vec![
                    bytes(Some(1), Some(2), Some(3)),
                    bytes(Some(2), Some(2), Some(4)),
                    bytes(None, Some(3), None),
                    bytes(Some(9), None, Some(3)),
                ],
            };
            let lengths: Vec<f32> = files
                .iter()
                .map(|file| {
                    let vector = candidates.stored(file).unwrap();
                    assert_eq!(vector.len(), candidates.dimension());
                    dot(&vector, &vector).sqrt()
                })
                .collect();
            assert!(lengths.iter().all(|length| (length - lengths[0]).abs() < 1e-3), "{lengths:?}");
            for calibration in [model.config.calibration.as_ref().unwrap(), labels] {
                for a in &files {
                    let query = candidates.query(a, Some(calibration)).unwrap();
                    assert_eq!(query.len(), candidates.dimension());
                    for b in &files {
                        let (seen, other) = (a.views.as_ref().unwrap(), b.views.as_ref().unwrap());
                        let cosines = Cosines::of(seen, other, dot(&a.embedding, &b.embedding));
                        let mut expected = straight(calibration, &cosines);
                        // What a query's own views say by abstaining is the same for all files.
                        let own = Cosines::of(seen, seen, 1.0).all();
                        for (view, _) in calibration.views.iter().zip(own).filter(|(_, own)| own.is_none()) {
                            expected -= view.abstains;
                        }
                        let found = dot(&query, &candidates.stored(b).unwrap());
                        assert!((found - expected).abs() < 0.9, "{found} {expected} {cosines:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_vectors_of_this_version_stay_as_they_are() {
        let model = base_model(PictureKind::Bytes).unwrap();
        let candidates = Candidates::of(&model.config, true);
        assert_eq!((CANDIDATE, candidates.dimension()), (1, 640));
        let vector = candidates.stored(&bytes(Some(1), Some(2), None)).unwrap();
        let sum: f32 = (0..97_u8).cycle().zip(&vector).map(|(i, value)| f32::from(i) * value).sum();
        assert!((sum - 91.933).abs() < 1e-2, "another version needs another number: {sum}");
    }

    #[test]
    fn a_file_that_no_view_sees_has_no_nearest() {
        let model = base_model(PictureKind::Bytes).unwrap();
        let candidates = Candidates::of(&model.config, true);
        let nothing = bytes(None, None, None);
        let calibration = model.config.calibration.as_ref();
        assert_eq!(candidates.query(&nothing, calibration), None);
        assert_eq!(candidates.stored(&nothing).unwrap().len(), 640);
        let without = Look { views: None, ..nothing };
        assert!(candidates.stored(&without).is_none());
        // Without views the embedding is what is compared.
        let candidates = Candidates::of(&model.config, false);
        assert_eq!(candidates.stored(&without).unwrap(), without.embedding);
        assert_eq!(candidates.query(&without, None).unwrap(), without.embedding);
        assert_eq!(candidates.dimension(), without.embedding.len());
    }
}
