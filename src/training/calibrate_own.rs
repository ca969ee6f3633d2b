//! Calibrates a model on the files that were held out of its training: other files of labels that it knows.
//!
//! They are too few to fit how much each view says, so that is taken from the model that the training started from. What is
//! fitted is the scale of the log-odds (Platt, "Probabilistic outputs for support vector machines", 1999, with his smoothed
//! targets), on two answers for each held-out file: among all training files, and among those of other labels, where every
//! answer is wrong.

use super::calibrate::{Regression, fit, scaled};
use crate::model::{Calibration, Cosines};
use crate::search::{LabelFit, Looks};
use rayon::prelude::*;

/// Held-out files, and labels of theirs, without which nothing is calibrated.
pub const LEAST_FILES: usize = 30;
const LEAST_LABELS: usize = 3;
/// Held-out files of which a hundredth can be told.
const MANY: usize = 100;
/// Answers that no score explains: labels share libraries, whose files are of both. Without them such a file would make every
/// answer doubtful.
const LAPSE: f64 = 0.1;
/// Share of the files of known labels that may be called unlike anything known.
const UNLIKE: f64 = 0.01;

/// Files and their labels, as small numbers.
pub struct LabelledLooks {
    /// What they look like.
    pub looks: Looks,
    /// Their labels.
    pub classes: Vec<usize>,
}

/// The calibrations of the model that the training started from: without what labels say, and with it.
pub type Both = (Calibration, Option<Calibration>);

/// Scales both calibrations to the answers to `held_out` among `library`; `None` if there are too few.
pub fn calibrate_own(from: &Both, library: &LabelledLooks, held_out: &LabelledLooks) -> Option<Both> {
    let mut labels = held_out.classes.clone();
    labels.sort_unstable();
    labels.dedup();
    if held_out.classes.len() < LEAST_FILES || labels.len() < LEAST_LABELS {
        return None;
    }
    let label_fit = LabelFit::new(&library.looks, |row| library.classes.get(row).copied());
    let without = Answers::of(&from.0, None, library, held_out).scale(&from.0);
    let with =
        from.1.as_ref().map(|from| Answers::of(from, label_fit.as_ref(), library, held_out).scale(from));
    Some((without, with))
}

/// One answer: the log-odds of the nearest file, whether it has the right label, and its weight.
#[derive(Clone, Copy)]
struct Answer {
    score: f32,
    right: bool,
    weight: f64,
    /// Whether there were files of the right label.
    known: bool,
}

struct Answers {
    all: Vec<Answer>,
}

impl Answers {
    fn of(
        calibration: &Calibration,
        label_fit: Option<&LabelFit>,
        library: &LabelledLooks,
        held_out: &LabelledLooks,
    ) -> Self {
        let of_label = |class: usize| held_out.classes.iter().filter(|other| **other == class).count();
        let answers = |query: usize| -> Option<Vec<Answer>> {
            let class = *held_out.classes.get(query)?;
            let along = label_fit
                .zip(held_out.looks.views.get(query))
                .map(|(fit, views)| fit.along(views, held_out.looks.embeddings.row(query)));
            let score = |row: usize| {
                let mut cosines: Cosines = held_out.looks.cosines(query, &library.looks, row)?;
                if let (Some(fit), Some(along)) = (label_fit, &along) {
                    cosines = along.cosines(&fit.along_row(&library.looks, row), &cosines);
                }
                Some((calibration.log_odds(&cosines)?, *library.classes.get(row)?))
            };
            let scores: Vec<(f32, usize)> = (0..library.looks.len()).filter_map(score).collect();
            let nearest = |known: bool| {
                let among = scores.iter().filter(|(_, other)| known || *other != class);
                let (score, other) = among.max_by(|a, b| a.0.total_cmp(&b.0))?;
                Some(Answer {
                    score: *score,
                    right: *other == class,
                    weight: 1.0 / of_label(class) as f64,
                    known,
                })
            };
            Some([true, false].into_iter().filter_map(nearest).collect())
        };
        let all: Vec<_> = (0..held_out.looks.len()).into_par_iter().filter_map(answers).collect();
        Self { all: all.into_iter().flatten().collect() }
    }

    fn scale(mut self, from: &Calibration) -> Calibration {
        let sum: f64 = self.all.iter().map(|answer| answer.weight).sum();
        self.all.iter_mut().for_each(|answer| answer.weight /= sum.max(f64::MIN_POSITIVE));
        let [factor, shift] = platt(&self.all);
        let logistic = |log_odds: f32| 1.0 / (1.0 + (-log_odds).exp());
        let mut known: Vec<Answer> = self.all.into_iter().filter(|answer| answer.known).collect();
        known.sort_unstable_by(|a, b| a.score.total_cmp(&b.score));
        let hundredth = known.get((known.len() as f64 * UNLIKE) as usize).filter(|_| known.len() >= MANY);
        // Of too few files the farthest hundredth is not known: the line stays where it was.
        let line = hundredth.map_or_else(
            || (from.unlike_below / (1.0 - from.unlike_below).max(f32::MIN_POSITIVE)).ln(),
            |answer| answer.score,
        );
        let mut own = scaled(from, factor, shift);
        own.unlike_below = logistic(line.max(-30.0) * factor + shift);
        own
    }
}

/// What scores are multiplied by, and what is added then, so that they are the log-odds of a right answer.
fn platt(answers: &[Answer]) -> [f32; 2] {
    // Around their mean and in units of their deviation, so that both numbers are found in as many steps.
    let count = answers.len().max(1) as f32;
    let mean = answers.iter().map(|answer| answer.score).sum::<f32>() / count;
    let variance = answers.iter().map(|answer| (answer.score - mean).powi(2)).sum::<f32>() / count;
    let deviation = variance.sqrt().max(1e-3);
    let moved = |answer: &Answer| Answer { score: (answer.score - mean) / deviation, ..*answer };
    let moved: Vec<Answer> = answers.iter().map(moved).collect();
    let start = [f64::from(deviation), f64::from(mean)];
    let [factor, shift] = fit(&Smoothed::new(&moved), start, |i| i == 0).map(|value| value as f32);
    [factor / deviation, shift - factor * mean / deviation]
}

/// The answers with Platt's targets, which are not quite 0 and 1.
struct Smoothed<'a> {
    answers: &'a [Answer],
    right: f64,
    wrong: f64,
}

impl<'a> Smoothed<'a> {
    fn new(answers: &'a [Answer]) -> Self {
        let right = answers.iter().filter(|answer| answer.right).count() as f64;
        let wrong = answers.len() as f64 - right;
        Self { answers, right: (right + 1.0) / (right + 2.0), wrong: 1.0 / (wrong + 2.0) }
    }
}

impl Regression<2> for Smoothed<'_> {
    fn gradient(&self, at: &[f64; 2]) -> [f64; 2] {
        self.answers.iter().fold([0.0; 2], |[factor, shift], answer| {
            let score = f64::from(answer.score);
            let target = if answer.right { self.right } else { self.wrong };
            let likely = 1.0 / (1.0 + (-(score * at[0] + at[1])).exp());
            let said = LAPSE / 2.0 + (1.0 - LAPSE) * likely;
            let slope = (1.0 - LAPSE) * likely * (1.0 - likely);
            let off = answer.weight * slope * ((1.0 - target) / (1.0 - said) - target / said);
            [factor + off * score, shift + off]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RISING, VIEWS, ViewWeights};
    use crate::search::Look;
    use crate::view::{FileViews, Terms};

    /// Files of ten labels: `own` of their twelve terms are those of the label.
    fn files(of_each: usize, own: u32, seed: u32) -> LabelledLooks {
        let (mut looks, mut classes) = (Looks::new(1), Vec::new());
        for class in 0..10 {
            for file in 0..of_each as u32 {
                let term = |i: u32| {
                    if i < own { class * 50 + i } else { 1000 + (seed + file * 7 + class * 3 + i) % 90 }
                };
                let text = Terms::heaviest((0..12).map(|i| (term(i), 1.0)).collect(), 1, 64);
                looks.push(&Look {
                    embedding: vec![1.0],
                    views: Some(FileViews { text, ..FileViews::default() }),
                });
                classes.push(class as usize);
            }
        }
        LabelledLooks { looks, classes }
    }

    fn from() -> Both {
        let view = ViewWeights { slopes: [1.0; RISING], abstains: 0.0 };
        (Calibration { views: [view; VIEWS], bias: 4.0, unlike_below: 0.2 }, None)
    }

    #[test]
    fn probabilities_are_those_of_the_held_out_files() {
        let (library, held_out) = (files(6, 7, 0), files(4, 7, 31));
        let (own, with_labels) = calibrate_own(&from(), &library, &held_out).unwrap();
        assert!(own.is_valid() && with_labels.is_none());
        let mean = |calibration: &Calibration, known: bool| {
            let answers = Answers::of(&from().0, None, &library, &held_out);
            let logit = |score: f32| {
                let before = from().0;
                // The bias tells how the scores were scaled.
                let factor = own.views[0].slopes[0] / before.views[0].slopes[0];
                let shift = own.bias - before.bias * factor;
                if calibration.bias == before.bias { score } else { score * factor + shift }
            };
            let of: Vec<f32> =
                answers.all.iter().filter(|answer| answer.known == known).map(|a| a.score).collect();
            of.iter().map(|score| 1.0 / (1.0 + (-logit(*score)).exp())).sum::<f32>() / of.len() as f32
        };
        assert!(mean(&from().0, false) > 0.9, "before, every answer is sure");
        assert!(
            mean(&own, false) < 0.2 && mean(&own, true) > 0.8,
            "{} {}",
            mean(&own, false),
            mean(&own, true)
        );
    }

    #[test]
    fn few_files_calibrate_nothing() {
        assert!(calibrate_own(&from(), &files(6, 7, 0), &files(2, 7, 31)).is_none());
        let mut one = files(4, 7, 31);
        one.classes.fill(1);
        assert!(calibrate_own(&from(), &files(6, 7, 0), &one).is_none());
    }
}
