//! The report on a model and a labelled folder: both modes, every layer, and the verdict.

use super::ALONE;
use super::moving_average::{Errors, start_weight, variance_errors};
use super::{Compared, Layer, ModeFigures, Verdict, compare, layer, verdict};
use crate::job::{Reporter, Stop};
use crate::model::{Model, StatisticsSource};
use crate::picture::{Encoded, PictureSet};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Files that are measured, at most: a thousand to ten thousand suffice (Wu and Johnson, 2021).
pub const MEASURED: usize = 2048;

/// The files of a folder that a model can be measured on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Index in the set and label, shuffled, at most [`MEASURED`].
    pub files: Vec<(usize, usize)>,
    /// How many there were to choose from.
    pub of: usize,
    /// Labels that the model does not know, and how many files have each.
    pub unknown: Vec<(String, usize)>,
}

impl Known {
    /// Pictures and labels.
    pub fn pictures<'a>(&self, set: &'a PictureSet) -> Vec<(&'a Encoded, usize)> {
        let files = self.files.iter();
        files.filter_map(|(i, class)| Some((set.pictures.get(*i)?, *class))).collect()
    }
}

/// Chooses the files of `set` whose label the model knows. Refuses other pictures than the model
/// reads, and a folder without any file that it knows the label of.
pub fn known_files(model: &Model, set: &PictureSet, seed: u64) -> Result<Known, Stop> {
    let config = &model.config;
    if set.spec != config.picture {
        return Err(Stop::Failed(format!(
            "expected {}, found {}: the model was made for other pictures. Choose another folder, or another model",
            config.picture.kind, set.spec.kind
        )));
    }
    let mut known = Known::default();
    let mut unknown = BTreeMap::<&str, usize>::new();
    for (i, sample) in set.samples.iter().enumerate() {
        let Some(label) = sample.label.as_deref() else { continue };
        match config.labels.iter().position(|known| known == label) {
            Some(class) => known.files.push((i, class)),
            None => *unknown.entry(label).or_default() += 1,
        }
    }
    known.unknown = unknown.into_iter().map(|(label, n)| (label.to_owned(), n)).collect();
    known.of = known.files.len();
    if known.files.is_empty() {
        let names = |labels: &mut dyn Iterator<Item = &str>| {
            let named = labels.take(4).map(crate::escape::text).collect::<Vec<_>>().join(", ");
            if named.is_empty() { "none".to_owned() } else { named }
        };
        return Err(Stop::Failed(format!(
            "expected files of labels that the model knows ({}…), found {}. Open the folder it was trained on, or one with the same labels",
            names(&mut config.labels.iter().map(String::as_str)),
            names(&mut known.unknown.iter().map(|(label, _)| label.as_str()))
        )));
    }
    if known.files.len() < 2 {
        return Err(Stop::Failed(ALONE.into()));
    }
    known.files.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    known.files.truncate(MEASURED);
    Ok(known)
}

/// All that is found.
pub struct Report {
    /// The files it was measured on.
    pub known: Known,
    /// Files to a batch in train mode: the training's.
    pub batch_size: usize,
    /// Both modes.
    pub compared: Compared,
    /// Recall at 1 among these files, in train mode and in eval mode.
    pub recall_at_1: [f64; 2],
    /// What each layer keeps.
    pub layers: Vec<Layer>,
    /// For each layer the errors of its kept variances, relative to the true ones, averaged over
    /// its channels without their sign; zero start where the statistics are no moving average.
    pub errors: Vec<Errors>,
    /// The verdict.
    pub verdict: Verdict,
}

/// One mode in four numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Numbers {
    /// Files measured.
    pub files: usize,
    /// Files put to another label than their own.
    pub misplaced: usize,
    /// Share put to their own, 0 to 1.
    pub accuracy: f64,
    /// Mean loss.
    pub loss: f64,
    /// Share whose nearest other file has their label, 0 to 1.
    pub recall_at_1: f64,
}

impl Numbers {
    /// Of `figures`, whose recall at 1 was measured apart.
    pub fn of(figures: &ModeFigures, recall_at_1: f64) -> Self {
        Self {
            files: figures.files,
            misplaced: figures.files - figures.right,
            accuracy: figures.accuracy(),
            loss: figures.loss,
            recall_at_1,
        }
    }
}

impl Known {
    /// The labels alone.
    pub fn classes(&self) -> Vec<usize> {
        self.files.iter().map(|(_, class)| *class).collect()
    }
}

impl Report {
    /// Train mode and eval mode.
    pub fn numbers(&self) -> [Numbers; 2] {
        let [train, eval] = self.recall_at_1;
        [Numbers::of(&self.compared.train, train), Numbers::of(&self.compared.eval, eval)]
    }
}

/// Measures `model` on `set`.
pub fn report(model: &Model, set: &PictureSet, seed: u64, reporter: &Reporter) -> Result<Report, Stop> {
    let known = known_files(model, set, seed)?;
    let files = known.pictures(set);
    let batch_size = model.config.training.batch_size.max(2);
    let compared = compare(&model.network, set.spec, &files, batch_size, reporter)?;
    let classes = known.classes();
    let recall_at_1 = [&compared.train, &compared.eval].map(|mode| mode.recall_at_1(&classes));
    let scales = model.network.scales()?;
    let kept = model.network.kept.iter().zip(&compared.truth);
    let layers: Vec<Layer> = kept
        .clone()
        .zip(&scales)
        .map(|((kept, truth), gamma)| layer(kept, truth, gamma, model.network.epsilon()))
        .collect();
    let source = model.config.source();
    let errors = kept
        .map(|(kept, truth)| variance_errors(kept, truth, weight_of_start(source, kept.batches)))
        .collect();
    let verdict = verdict(&model.config, &compared, &layers);
    Ok(Report { known, batch_size, compared, recall_at_1, layers, errors, verdict })
}

/// What is left of the initial values in statistics that come from `source`.
pub fn weight_of_start(source: StatisticsSource, batches: u64) -> f64 {
    match source {
        StatisticsSource::Moving { momentum } => start_weight(Some(momentum), batches),
        _ => 0.0,
    }
}
