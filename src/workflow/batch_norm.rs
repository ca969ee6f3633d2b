//! Measuring and repairing the two modes of a model on a labelled folder.

use super::read::{LabelledFolder, Pictures, read_folder};
use super::run::{Event, Run};
use crate::batchnorm::moving_average::batches_until;
use crate::batchnorm::{Repair, Repaired, Report, recompute_over, repair, report};
use crate::experiment::{Row, Setup, run as run_experiment};
use crate::job::Stop;
use crate::model::{BatchNormPolicy, Head, Model, Norm, StatisticsPolicy};
use crate::picture::{Encoded, PictureSet};
use crate::reading::Reader;
use crate::sample::Labelling;
use crate::training::{TrainConfig, continue_training, train};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// The seed that chooses and shuffles the measured files: two runs measure the same ones.
pub const SEED: u64 = 0;

/// Batches of [`train_longer`]: least and most.
const MORE_BATCHES: std::ops::RangeInclusive<u64> = 44..=480;
/// Its learning rate: low, so that the moving average catches up.
const LOW_RATE: f64 = 3e-4;
/// The weight of the initial value at which [`train_longer`] stops.
const FORGOTTEN: f64 = 0.01;

/// Reads a labelled folder with the pictures that `model` needs.
pub fn read_for(
    model: &Model,
    folder: &Path,
    labelling: Labelling,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<LabelledFolder, Stop> {
    read_folder(folder, labelling, Pictures::Of(model.config.picture), reader, run)
}

/// Measures train mode and eval mode of `model` on `set`.
pub fn measure(model: &Model, set: &PictureSet, run: &Run<'_>) -> Result<Report, Stop> {
    report(model, set, SEED, run.reporter())
}

/// Repairs the statistics of `model`, measured by `before` on the same `set`. The weights stay.
pub fn repair_model(
    model: &Model,
    how: Repair,
    set: &PictureSet,
    before: &Report,
    run: &Run<'_>,
) -> Result<Repaired, Stop> {
    let files = before.known.pictures(set);
    repair(model, how, &files, before.batch_size, &before.compared, run.reporter())
}

/// Recomputes the statistics of `model` over all files of `set`, whatever their labels.
pub fn recompute_statistics(model: &Model, set: &PictureSet, run: &Run<'_>) -> Result<Model, Stop> {
    // A batch of one label does not represent the set.
    let mut pictures: Vec<&Encoded> = set.pictures.iter().collect();
    pictures.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    recompute_over(model, &pictures, run.reporter())
}

/// Whether any file of `set` has a label that `model` knows, so that its modes can be measured.
pub fn knows_labels(model: &Model, set: &PictureSet) -> bool {
    let known = |label: &String| model.config.labels.contains(label);
    set.samples.iter().any(|sample| sample.label.as_ref().is_some_and(known))
}

/// Trains `model` for more batches at a low learning rate, until less than a hundredth of the initial value
/// is left in its moving average. Returns it with the number of batches.
pub fn train_longer(model: &Model, set: &PictureSet, run: &Run<'_>) -> Result<(Model, usize), Stop> {
    let policy = model.config.batch_norm;
    let seen = model.network.running.first().map_or(0, |kept| kept.batches);
    let until = batches_until(FORGOTTEN, policy.momentum).unwrap_or(*MORE_BATCHES.end());
    let batches = until.saturating_sub(seen).clamp(*MORE_BATCHES.start(), *MORE_BATCHES.end()) as usize;
    let base = match model.config.head {
        Head::Cosine | Head::Grid => TrainConfig::default(),
        Head::Classifier => TrainConfig::article(0),
    };
    let config = TrainConfig {
        epochs: Some(0.0),
        min_steps: batches,
        batch_norm: BatchNormPolicy { statistics: StatisticsPolicy::Moving, ..policy },
        learning_rate: LOW_RATE,
        one_cycle: false,
        seed: model.config.training.seed,
        ..base
    };
    Ok((continue_training(set, model, &config, run.reporter(), |_| ())?.model, batches))
}

/// Trains a model without batch normalisation to compare `model` with, by `config` or, for a plain
/// classifier, as the article does.
pub fn train_without_norm(
    model: &Model,
    set: &PictureSet,
    config: TrainConfig,
    run: &Run<'_>,
) -> Result<Model, Stop> {
    let base = match model.config.head {
        Head::Cosine | Head::Grid => config,
        Head::Classifier => TrainConfig::article(config.seed),
    };
    let config = TrainConfig { norm: Norm::None, ..base };
    Ok(train(set, &config, run.reporter(), |_| ())?.model)
}

/// Runs the experiment with and without batch normalisation. Each row is reported as [`Event::Row`].
pub fn experiment(set: &PictureSet, setup: &Setup, run: &Run<'_>) -> Result<Vec<Row>, Stop> {
    run_experiment(set, setup, run.reporter(), |row, seed| run.event(Event::Row(row.clone(), seed)))
}
