//! The report on a model and a labelled folder: both modes, every layer, and the verdict.

use super::batches::ONE_FILE;
use super::channel::{Layer, compare_layer};
use super::modes::{Compared, ModeFigures, compare};
use super::moving_average::{Errors, initial_weight_in, variance_errors};
use super::place_labels::place_labels;
use super::verdict::{Verdict, verdict};
use crate::job::{Reporter, Stop};
use crate::model::Model;
use crate::picture::{Encoded, PictureSet};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Files that are measured, at most: 1,000 to 10,000 are enough (Wu and Johnson, 2021).
const MAX_FILES: usize = 2048;

/// The files of a folder whose label a model knows: those it can be measured on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownFiles {
    /// Index in the set and label, shuffled, at most [`MAX_FILES`].
    pub files: Vec<(usize, usize)>,
    /// The number of such files in the folder.
    pub of: usize,
    /// Labels that the model does not know, and the number of files with each.
    pub unknown: Vec<(String, usize)>,
}

impl KnownFiles {
    /// Pictures and labels.
    pub fn pictures<'a>(&self, set: &'a PictureSet) -> Vec<(&'a Encoded, usize)> {
        let files = self.files.iter();
        files.filter_map(|(i, class)| Some((set.pictures.get(*i)?, *class))).collect()
    }
}

/// Chooses the files of `set` whose label the model knows. An error if the pictures are of another kind than
/// the model's, or no label is known.
pub fn known_files(model: &Model, set: &PictureSet, seed: u64) -> Result<KnownFiles, Stop> {
    let config = &model.config;
    if !set.spec.same_pictures(config.picture) {
        return Err(Stop::failed(format!(
            "expected {}, found {}: the model was trained on pictures of another kind. Choose another folder, or another model",
            config.picture.kind, set.spec.kind
        )));
    }
    let mut known = KnownFiles::default();
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
        return Err(Stop::failed(format!(
            "expected files with labels that the model knows ({}…), found {}. Choose the folder it was trained on, or one with the same labels",
            names(&mut config.labels.iter().map(String::as_str)),
            names(&mut known.unknown.iter().map(|(label, _)| label.as_str()))
        )));
    }
    if known.files.len() < 2 {
        return Err(Stop::failed(ONE_FILE));
    }
    known.files.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    known.files.truncate(MAX_FILES);
    Ok(known)
}

/// How a model behaves in both modes on a folder.
pub struct Report {
    /// The files it was measured on.
    pub known: KnownFiles,
    /// Files per batch in train mode: as in the training.
    pub batch_size: usize,
    /// Both modes.
    pub compared: Compared,
    /// Recall at 1 among these files, in train mode and in eval mode.
    pub recall_at_1: [f64; 2],
    /// The layers, running statistics against pooled ones.
    pub layers: Vec<Layer>,
    /// For each layer the errors of its running variances relative to the pooled ones: absolute values
    /// averaged over its channels. If the statistics are no moving average, the initial value has no share.
    pub errors: Vec<Errors>,
    /// The verdict.
    pub verdict: Verdict,
}

/// A summary of one mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModeSummary {
    /// Files measured.
    pub files: usize,
    /// Files misclassified.
    pub misclassified: usize,
    /// Share of the files classified correctly, 0 to 1.
    pub accuracy: f64,
    /// Mean loss.
    pub loss: f64,
    /// Share of the files whose nearest other file has their label, 0 to 1.
    pub recall_at_1: f64,
}

impl ModeSummary {
    /// A summary of `figures` and their recall at 1.
    pub fn new(figures: &ModeFigures, recall_at_1: f64) -> Self {
        Self {
            files: figures.files,
            misclassified: figures.files - figures.correct,
            accuracy: figures.accuracy(),
            loss: figures.loss,
            recall_at_1,
        }
    }
}

impl KnownFiles {
    /// The labels of the files.
    pub fn classes(&self) -> Vec<usize> {
        self.files.iter().map(|(_, class)| *class).collect()
    }
}

impl Report {
    /// Summaries of train mode and eval mode.
    pub fn summaries(&self) -> [ModeSummary; 2] {
        let [train, eval] = self.recall_at_1;
        [ModeSummary::new(&self.compared.train, train), ModeSummary::new(&self.compared.eval, eval)]
    }
}

/// Measures `model` on `set`.
pub fn report(model: &Model, set: &PictureSet, seed: u64, reporter: &Reporter) -> Result<Report, Stop> {
    let placed = place_labels(model, set, reporter)?;
    let model = placed.as_ref().unwrap_or(model);
    let known = known_files(model, set, seed)?;
    let files = known.pictures(set);
    let batch_size = model.config.training.batch_size.max(2);
    let compared = compare(&model.network, model.config.picture, &files, batch_size, reporter)?;
    let classes = known.classes();
    let recall_at_1 = [&compared.train, &compared.eval].map(|mode| mode.recall_at_1(&classes));
    let scales = model.network.scales()?;
    let statistics = model.network.running.iter().zip(&compared.pooled);
    let layers: Vec<Layer> = statistics
        .clone()
        .zip(&scales)
        .map(|((running, pooled), gamma)| compare_layer(running, pooled, gamma, model.network.epsilon()))
        .collect();
    let source = model.config.source();
    let errors = statistics
        .map(|(running, pooled)| variance_errors(running, pooled, initial_weight_in(source, running.batches)))
        .collect();
    let verdict = verdict(&model.config, &compared, &layers);
    Ok(Report { known, batch_size, compared, recall_at_1, layers, errors, verdict })
}
