//! A label fit: what the labels of a library say about its views. It is computed in a moment, whenever the labels change, and
//! applied on top of what is stored, which never changes.

use super::dense_whitening::DenseWhitening;
use super::look::Looks;
use super::whitening::Whitening;
use crate::model::Cosines;
use crate::numeric::dot;
use crate::view::{FileViews, Terms};
use rayon::prelude::*;
use std::borrow::Cow;

/// Labelled files that it is learned from, at most.
const LEARNED: usize = 512;
/// The same for embeddings of images, which are cheaper to learn from.
const LEARNED_IMAGES: usize = 4096;
/// Labels and files of a rich fit, at least.
const RICH_LABELS: usize = 8;
const RICH_FILES: usize = 64;
/// Libraries up to this size are prepared as a whole; of larger ones only what is compared is.
pub const PREPARED: usize = 8192;

/// The version of what is learned: another one makes something else of the same labels.
pub const LABEL_FIT: u32 = 1;

/// What is learned from the labels of a library.
pub struct LabelFit {
    text: Option<Whitening>,
    header: Option<Whitening>,
    image: Option<DenseWhitening>,
    /// The rows that it was learned from, by label.
    learned: Vec<Vec<usize>>,
    /// By row, for a library that is prepared as a whole.
    along: Vec<Along>,
}

/// The coordinates of one file along what is removed from each view, or the whitened embedding of an image; `None` where the view
/// abstains.
#[derive(Clone, Debug, Default)]
pub struct Along {
    text: Option<Vec<f32>>,
    header: Option<Vec<f32>>,
    image: Option<Vec<f32>>,
}

impl LabelFit {
    /// Learns from the looks of a library: `label(row)` is the label of a row, if it has one, as a small number. `None` if no label
    /// has two files that can be compared.
    pub fn new(looks: &Looks, label: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let mut classes: Vec<Vec<usize>> = Vec::new();
        for row in 0..looks.views.len() {
            if let Some(class) = label(row) {
                if classes.len() <= class {
                    classes.resize(class + 1, Vec::new());
                }
                classes[class].push(row);
            }
        }
        let fit = Self::of(looks, choose(&classes, true), true);
        let mut fit = fit.or_else(|| Self::of(looks, choose(&classes, false), false))?;
        if looks.views.len() <= PREPARED {
            let rows = looks.views.par_iter().enumerate();
            fit.along = rows.map(|(row, views)| fit.along(views, looks.embeddings.row(row))).collect();
        }
        Some(fit)
    }

    /// Learns from these rows of each label, as [`choose`] gives them for a library that is not prepared as a whole. `looks` need
    /// not be the whole library. With `images`, `None` if no label has two images.
    pub fn of(looks: &Looks, classes: Vec<Vec<usize>>, images: bool) -> Option<Self> {
        let image = if images { Some(Self::learn_images(looks, &classes)?) } else { None };
        let of = |view: fn(&FileViews) -> Option<&Terms>| {
            let terms = |rows: &Vec<usize>| -> Vec<&Terms> {
                rows.iter().filter_map(|row| looks.views.get(*row).and_then(view)).collect()
            };
            Whitening::new(&classes.iter().map(terms).collect::<Vec<_>>())
        };
        let (text, header) =
            rayon::join(|| of(|views| views.text.as_ref()), || of(|views| views.header.as_ref()));
        let fit = Self { text, header, image, learned: classes, along: Vec::new() };
        (fit.text.is_some() || fit.header.is_some() || fit.image.is_some()).then_some(fit)
    }

    /// The same fit where its rows have other numbers. Those without one are forgotten.
    pub fn renumbered(mut self, number: impl Fn(usize) -> Option<usize>) -> Self {
        self.learned.iter_mut().for_each(|rows| *rows = rows.iter().filter_map(|row| number(*row)).collect());
        self
    }

    fn learn_images(looks: &Looks, classes: &[Vec<usize>]) -> Option<DenseWhitening> {
        let embedding = |row: &usize| {
            looks.views.get(*row)?.hash?;
            Some(looks.embeddings.row(*row))
        };
        let of_class = |rows: &Vec<usize>| rows.iter().filter_map(embedding).collect();
        DenseWhitening::new(&classes.iter().map(of_class).collect::<Vec<_>>())
    }

    /// The coordinates of a file along what is removed, from what the views see of it and its embedding.
    pub fn along(&self, views: &FileViews, embedding: &[f32]) -> Along {
        let of = |whitening: &Option<Whitening>, terms: &Option<Terms>| {
            Some(whitening.as_ref()?.along(terms.as_ref()?))
        };
        let image = self.image.as_ref().filter(|_| views.hash.is_some());
        Along {
            text: of(&self.text, &views.text),
            header: of(&self.header, &views.header),
            image: image.map(|image| image.along(embedding)),
        }
    }

    /// The coordinates of the file in a row of the library that it was learned from.
    pub fn along_row(&self, looks: &Looks, row: usize) -> Cow<'_, Along> {
        match (self.along.get(row), looks.views.get(row)) {
            (Some(along), _) => Cow::Borrowed(along),
            (None, Some(views)) => Cow::Owned(self.along(views, looks.embeddings.row(row))),
            (None, None) => Cow::Owned(Along::default()),
        }
    }

    /// Whether it was learned from so many labels and files that cosines are as a calibration with labels expects them.
    pub fn is_rich(&self) -> bool {
        self.learned.len() >= RICH_LABELS && self.learned.iter().map(Vec::len).sum::<usize>() >= RICH_FILES
    }

    /// The rows that it was learned from, by label. They and their labels decide all of it.
    pub fn learned(&self) -> &[Vec<usize>] {
        &self.learned
    }

    /// Whether every row of the library is prepared, so that all can be compared.
    pub fn is_prepared(&self) -> bool {
        !self.along.is_empty()
    }
}

impl Along {
    /// The cosines of two files, from those before whitening.
    pub fn cosines(&self, other: &Self, before: &Cosines) -> Cosines {
        let of = |before: Option<f32>, a: &Option<Vec<f32>>, b: &Option<Vec<f32>>| match (before, a, b) {
            (Some(before), Some(a), Some(b)) => Some(Whitening::cosine(before, a, b)),
            _ => before,
        };
        Cosines {
            text: of(before.text, &self.text, &other.text),
            header: of(before.header, &self.header, &other.header),
            image: match (before.image, &self.image, &other.image) {
                (Some(_), Some(a), Some(b)) => Some(dot(a, b).clamp(-1.0, 1.0)),
                (before, ..) => before,
            },
            code: before.code,
            hash: before.hash,
        }
    }
}

/// The files to learn from, of all files of each label: of labels with two or more, evenly spread, so that they are few and no label
/// decides alone. Of `images`, more can be learned from.
pub fn choose<T: Copy>(classes: &[Vec<T>], images: bool) -> Vec<Vec<T>> {
    let some: Vec<&[T]> = classes.iter().map(Vec::as_slice).filter(|files| files.len() > 1).collect();
    chosen(&some, if images { LEARNED_IMAGES } else { LEARNED })
}

/// Files of each class, at most `learned` of all.
fn chosen<T: Copy>(classes: &[&[T]], learned: usize) -> Vec<Vec<T>> {
    // The largest number of files a class may have.
    let mut most = learned;
    while most > 2 && classes.iter().map(|rows| rows.len().min(most)).sum::<usize>() > learned {
        most = most * 9 / 10;
    }
    let spread = |rows: &&[T]| -> Vec<T> {
        let kept = rows.len().min(most);
        (0..kept).map(|i| rows[i * rows.len() / kept]).collect()
    };
    // With many labels, some are left out, evenly too.
    let every = (classes.len() * most).div_ceil(learned).max(1);
    let every = if most > 2 { 1 } else { every };
    classes.iter().step_by(every).map(spread).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Look;

    fn looks(files: &[&[u32]]) -> Looks {
        let mut looks = Looks::new(1);
        for bins in files {
            let text = Terms::heaviest(bins.iter().map(|bin| (*bin, 1.0)).collect(), 1, 64);
            let views = FileViews { text, ..FileViews::default() };
            looks.push(&Look { embedding: vec![1.0], views: Some(views) });
        }
        looks
    }

    #[test]
    fn what_files_of_a_label_do_not_share_counts_less() {
        // Two labels, in two builds each: the build is in more terms than the label.
        let looks = looks(&[
            &[1, 2, 50, 51, 52, 53],
            &[1, 2, 60, 61, 62, 63],
            &[3, 4, 50, 51, 52, 53],
            &[3, 4, 60, 61, 62, 63],
        ]);
        let fit = LabelFit::new(&looks, |row| Some(row / 2)).unwrap();
        let cosine = |i: usize, j: usize| {
            let before = looks.cosines(i, &looks, j).unwrap();
            let after = fit.along_row(&looks, i).cosines(&fit.along_row(&looks, j), &before);
            (before.text.unwrap(), after.text.unwrap())
        };
        let (same, other) = (cosine(0, 1), cosine(0, 2));
        assert!(same.0 < other.0 && same.1 > other.1, "{same:?} {other:?}");
        assert!(fit.is_prepared());
        assert!(LabelFit::new(&looks, Some).is_none(), "each label has one file");
        assert!(LabelFit::new(&looks, |_| None).is_none());
    }

    #[test]
    fn a_class_gives_some_of_its_files() {
        let classes = vec![(0..3000).collect(), (3000..3010).collect(), (4000..4002).collect()];
        let chosen = choose(&classes, false);
        let total: usize = chosen.iter().map(Vec::len).sum();
        assert!((400..=LEARNED).contains(&total), "{total}");
        assert_eq!((chosen[1].len(), chosen[2].len()), (10, 2));
        let many: Vec<Vec<usize>> = (0..2000).map(|i| vec![2 * i, 2 * i + 1]).collect();
        let total: usize = choose(&many, false).iter().map(Vec::len).sum();
        assert!((256..=LEARNED).contains(&total), "{total}");
    }
}
