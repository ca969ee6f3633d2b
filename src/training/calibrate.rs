//! Calibrates the probability that two files are of one family, on families that nothing else was learned from.
//!
//! First the log-odds of pairs are fitted, by logistic regression whose slopes are not negative. Pairs of the same module
//! in two releases are nearly equal and teach little, so they weigh less than pairs of other modules. Then they are scaled
//! (Platt, "Probabilistic outputs for support vector machines", 1999) so that the probability is that of an answer: of the
//! nearest of all files, where the family of half of the files is not in the library.

use crate::model::{Calibration, Cosines, RISING, VIEWS, ViewWeights};
use crate::search::distance;
use crate::view::FileViews;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Weight of a pair of the same module, beside that of other modules.
const SAME_MODULE: f64 = 0.3;
/// How often a view is left out, so that the others are calibrated where it abstains.
const LEFT_OUT: f64 = 0.15;
/// Random halves of the families that the scale is fitted on.
const SPLITS: usize = 20;
/// Share of the files of known families that may be called unlike anything known.
const UNLIKE: f64 = 0.01;
/// Steps of each fit, and their size.
const STEPS: usize = 600;
const STEP: f64 = 0.05;
/// Weight decay of the slopes.
const DECAY: f64 = 1e-4;
/// Numbers that are fitted: the slopes of all views, what they add if they abstain, and the bias.
const NUMBERS: usize = VIEWS * (RISING + 1) + 1;

/// A file to calibrate on.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// Its family, and the group of families that share code.
    pub family: &'a str,
    /// Families of one group are neither the same nor others.
    pub group: &'a str,
    /// The module it is a release of.
    pub module: &'a str,
    /// The embedding of its code.
    pub code: &'a [f32],
    /// What the views see of it.
    pub views: &'a FileViews,
}

/// The cosines of two files.
pub fn cosines(a: &Compared<'_>, b: &Compared<'_>) -> Cosines {
    Cosines::of(a.views, b.views, 1.0 - distance(a.code, b.code))
}

/// The rows of a regression.
#[derive(Default)]
struct Rows {
    numbers: Vec<[f32; NUMBERS]>,
    same: Vec<bool>,
    weights: Vec<f64>,
}

/// Calibrates on `files`, of at least two groups, by the cosines of each two of them; pairs that are `None` are left out. The same
/// seed gives the same result.
pub fn calibrate(
    files: &[Compared<'_>],
    cosines: impl Fn(usize, usize) -> Option<Cosines> + Sync,
    seed: u64,
) -> Calibration {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let all: Vec<Vec<Option<Cosines>>> =
        (0..files.len()).into_par_iter().map(|i| (0..files.len()).map(|j| cosines(i, j)).collect()).collect();
    // What no file has is left alone.
    let mut used = [false; VIEWS];
    for cosines in all.iter().flatten().flatten() {
        used.iter_mut().zip(cosines.all()).for_each(|(used, cosine)| *used |= cosine.is_some());
    }
    let mut rows = Rows::default();
    for (i, a) in files.iter().enumerate() {
        for (j, b) in files.iter().enumerate().skip(i + 1) {
            let same = a.family == b.family;
            let Some(cosines) = all[i][j].filter(|_| same || a.group != b.group) else { continue };
            let weight = if same && a.module == b.module { SAME_MODULE } else { 1.0 };
            rows.numbers.push(numbers(&left_out(cosines, &mut rng), used));
            rows.same.push(same);
            rows.weights.push(if same { weight / family_size(files, a.family) } else { 1.0 });
        }
    }
    rows.balance();
    let start = std::array::from_fn(|i| match used.get(i / (RISING + 1)) {
        Some(false) => 0.0,
        Some(true) | None => 0.1,
    });
    let fitted = fit(&rows, start, |i| i < NUMBERS - 1 && i % (RISING + 1) < RISING);
    let pairs = from_numbers(&fitted);
    scale(files, &all, &pairs, used, &mut rng)
}

fn family_size(files: &[Compared<'_>], family: &str) -> f64 {
    files.iter().filter(|file| file.family == family).count().max(1) as f64
}

/// Cosines with some views left out, but never all.
fn left_out(cosines: Cosines, rng: &mut ChaCha8Rng) -> Cosines {
    let mut drop = || rng.random_bool(LEFT_OUT);
    let left = Cosines {
        text: cosines.text.filter(|_| !drop()),
        header: cosines.header.filter(|_| !drop()),
        code: cosines.code.filter(|_| !drop()),
        image: cosines.image.filter(|_| !drop()),
        hash: cosines.hash.filter(|_| !drop()),
    };
    if left.all().iter().any(Option::is_some) { left } else { cosines }
}

fn numbers(cosines: &Cosines, used: [bool; VIEWS]) -> [f32; NUMBERS] {
    let mut numbers = [0.0; NUMBERS];
    for ((view, cosine), used) in numbers.chunks_exact_mut(RISING + 1).zip(cosines.all()).zip(used) {
        if !used {
            continue;
        }
        match (view, cosine) {
            ([.., abstains], None) => *abstains = 1.0,
            (view, Some(cosine)) => view[..RISING].copy_from_slice(&ViewWeights::rising(cosine)),
            ([], None) => {}
        }
    }
    numbers[NUMBERS - 1] = 1.0;
    numbers
}

fn from_numbers(numbers: &[f64; NUMBERS]) -> Calibration {
    let mut views = [ViewWeights::default(); VIEWS];
    for (view, from) in views.iter_mut().zip(numbers.chunks_exact(RISING + 1)) {
        for (slope, from) in view.slopes.iter_mut().zip(from) {
            *slope = *from as f32;
        }
        view.abstains = from[RISING] as f32;
    }
    Calibration { views, bias: numbers[NUMBERS - 1] as f32, unlike_below: 0.0 }
}

impl Rows {
    /// Gives both outcomes the same weight.
    fn balance(&mut self) {
        for outcome in [true, false] {
            let rows = || self.same.iter().zip(&self.weights).filter(|(same, _)| **same == outcome);
            let sum: f64 = rows().map(|(_, weight)| weight).sum();
            for (weight, same) in self.weights.iter_mut().zip(&self.same) {
                if *same == outcome {
                    *weight /= sum.max(f64::MIN_POSITIVE) * 2.0;
                }
            }
        }
    }
}

/// Logistic regression by Adam (Kingma and Ba, 2015) over all rows. Numbers for which `positive` holds stay at or above
/// zero.
pub(super) fn fit<const N: usize>(
    rows: &impl Regression<N>,
    start: [f64; N],
    positive: impl Fn(usize) -> bool,
) -> [f64; N] {
    let (mut at, mut mean, mut square) = (start, [0.0; N], [0.0; N]);
    for step in 1..=STEPS as i32 {
        let gradient = rows.gradient(&at);
        for i in 0..N {
            let gradient = gradient[i] + if positive(i) { DECAY * at[i] } else { 0.0 };
            mean[i] = 0.9 * mean[i] + 0.1 * gradient;
            square[i] = 0.999 * square[i] + 0.001 * gradient * gradient;
            let (mean, square) =
                (mean[i] / (1.0 - 0.9_f64.powi(step)), square[i] / (1.0 - 0.999_f64.powi(step)));
            at[i] -= STEP * mean / (square.sqrt() + 1e-10);
            if positive(i) {
                at[i] = at[i].max(0.0);
            }
        }
    }
    at
}

/// What is fitted.
pub(super) trait Regression<const N: usize>: Sync {
    /// The gradient of the mean loss.
    fn gradient(&self, at: &[f64; N]) -> [f64; N];
}

impl Regression<NUMBERS> for Rows {
    fn gradient(&self, at: &[f64; NUMBERS]) -> [f64; NUMBERS] {
        const BLOCK: usize = 4096;
        let parts: Vec<[f64; NUMBERS]> = self
            .numbers
            .par_chunks(BLOCK)
            .zip(self.same.par_chunks(BLOCK).zip(self.weights.par_chunks(BLOCK)))
            .map(|(numbers, (same, weights))| gradient_of(numbers, same, weights, at))
            .collect();
        parts.iter().fold([0.0; NUMBERS], |mut sum, part| {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            sum
        })
    }
}

fn gradient_of<const N: usize>(
    numbers: &[[f32; N]],
    same: &[bool],
    weights: &[f64],
    at: &[f64; N],
) -> [f64; N] {
    let mut sum = [0.0; N];
    for ((numbers, same), weight) in numbers.iter().zip(same).zip(weights) {
        let log_odds: f64 = numbers.iter().zip(at).map(|(x, at)| f64::from(*x) * at).sum();
        let off = weight * (1.0 / (1.0 + (-log_odds).exp()) - f64::from(u8::from(*same)));
        sum.iter_mut().zip(numbers).for_each(|(sum, x)| *sum += off * f64::from(*x));
    }
    sum
}

/// Scores of answers, and whether they were right.
struct Answers {
    scores: Vec<[f32; 2]>,
    right: Vec<bool>,
    /// Whether the library had files of the same family.
    known: Vec<bool>,
    weights: Vec<f64>,
}

impl Regression<2> for Answers {
    fn gradient(&self, at: &[f64; 2]) -> [f64; 2] {
        gradient_of(&self.scores, &self.right, &self.weights, at)
    }
}

/// Scales the log-odds of pairs to those of answers.
fn scale(
    files: &[Compared<'_>],
    all: &[Vec<Option<Cosines>>],
    pairs: &Calibration,
    used: [bool; VIEWS],
    rng: &mut ChaCha8Rng,
) -> Calibration {
    let mut groups: Vec<&str> = files.iter().map(|file| file.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut answers =
        Answers { scores: Vec::new(), right: Vec::new(), known: Vec::new(), weights: Vec::new() };
    for _ in 0..SPLITS {
        groups.shuffle(rng);
        let known = &groups[..groups.len() / 2];
        for (i, file) in files.iter().enumerate() {
            // Of one view or another of the file, and with or without other releases of its module.
            let (seen, releases) = (
                left_out(Cosines::from_views(used.map(|used| used.then_some(0.0))), rng),
                rng.random_bool(0.5),
            );
            let in_library = |(j, other): &(usize, &Compared<'_>)| {
                *j != i
                    && known.contains(&other.group)
                    && (other.family == file.family || other.group != file.group)
                    && (releases || other.family != file.family || other.module != file.module)
            };
            let score = |(j, other): (usize, &Compared<'_>)| {
                let found = all[i][j]?;
                let mut shown = found.all();
                shown
                    .iter_mut()
                    .zip(seen.all())
                    .for_each(|(found, seen)| *found = found.filter(|_| seen.is_some()));
                let cosines = Cosines::from_views(shown);
                Some((pairs.log_odds(&cosines)?, other.family == file.family))
            };
            let found: Vec<_> = files.iter().enumerate().filter(in_library).filter_map(score).collect();
            let has_family = found.iter().any(|(_, same)| *same);
            if let Some((score, right)) = found.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)) {
                answers.scores.push([score, 1.0]);
                answers.right.push(right);
                answers.known.push(has_family);
                answers.weights.push(1.0 / family_size(files, file.family));
            }
        }
    }
    let sum: f64 = answers.weights.iter().sum();
    answers.weights.iter_mut().for_each(|weight| *weight /= sum);
    let [factor, shift] = fit(&answers, [1.0, 0.0], |i| i == 0).map(|value| value as f32);
    let mut scaled = scaled(pairs, factor, shift);
    let probability = |score: f32| 1.0 / (1.0 + (-(score * factor + shift)).exp());
    scaled.unlike_below = answers.quantile_of_known(UNLIKE).map_or(0.0, probability);
    scaled
}

/// A calibration whose log-odds are `factor` times those of `from`, and `shift` more.
pub(super) fn scaled(from: &Calibration, factor: f32, shift: f32) -> Calibration {
    let mut scaled = *from;
    for view in &mut scaled.views {
        view.slopes.iter_mut().for_each(|slope| *slope *= factor);
        view.abstains *= factor;
    }
    scaled.bias = scaled.bias * factor + shift;
    scaled
}

impl Answers {
    /// The score below which this share of the answers to files of known families is.
    fn quantile_of_known(&self, share: f64) -> Option<f32> {
        let known = self.scores.iter().zip(&self.known).zip(&self.weights).filter(|((_, known), _)| **known);
        let mut scores: Vec<(f32, f64)> = known.map(|((score, _), weight)| (score[0], *weight)).collect();
        scores.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut left = share * scores.iter().map(|(_, weight)| weight).sum::<f64>();
        scores
            .into_iter()
            .find(|(_, weight)| {
                left -= weight;
                left <= 0.0
            })
            .map(|(score, _)| score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Terms;

    /// Files of `families` families, whose text tells them apart and whose header does not.
    fn files(families: usize) -> Vec<(String, String, Vec<f32>, FileViews)> {
        let mut out = Vec::new();
        for family in 0..families {
            for module in 0..4 {
                let bin = |i: usize| (family * 100 + i) as u32;
                let own = (0..10).map(|i| (bin(i), 1.0));
                let text = own.chain([(50_000 + module * 7 + family as u32, 1.0)]).collect();
                let header = (0..8).map(|i| (i + module % 3, 1.0)).collect();
                let views = FileViews {
                    text: Terms::heaviest(text, 1, 64),
                    header: Terms::heaviest(header, 1, 64),
                    code: crate::view::Pairs::from_bytes(&[1; crate::view::PAIR_NUMBERS]),
                    ..FileViews::default()
                };
                let angle = (family * 31 + module as usize) as f32;
                out.push((format!("f{family}"), format!("m{module}"), vec![angle.sin(), angle.cos()], views));
            }
        }
        out
    }

    #[test]
    fn the_view_that_tells_families_apart_decides() {
        let owned = files(12);
        let compared: Vec<_> = owned
            .iter()
            .map(|(family, module, code, views)| Compared { family, group: family, module, code, views })
            .collect();
        let of = |i: usize, j: usize| Some(cosines(&compared[i], &compared[j]));
        let calibration = calibrate(&compared, of, 1);
        assert!(calibration.is_valid());
        assert_eq!(calibration, calibrate(&compared, of, 1), "the same seed gives the same result");
        let same = calibration.probability(&cosines(&compared[0], &compared[1])).unwrap();
        let other = calibration.probability(&cosines(&compared[0], &compared[4])).unwrap();
        assert!(same > 0.9 && other < 0.2, "{same} {other}");
        // Without text nothing is sure.
        let blind = Cosines { text: None, ..cosines(&compared[0], &compared[1]) };
        let blind = calibration.probability(&blind).unwrap();
        assert!(blind < same, "{blind} {same}");
    }
}
