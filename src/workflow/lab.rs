//! Measure and repair a model's two modes on a labelled folder.

use super::read::{Pictures, read};
use crate::batchnorm::{Repair, Report, compare, known_files, repair, report};
use crate::job::{Reporter, Stop};
use crate::model::Model;
use crate::picture::PictureSet;
use crate::reading::Reader;
use crate::sample::{Labelling, Skipped};
use std::path::Path;

/// Seed by which files are chosen and shuffled: what one run says the next one says too.
pub const SEED: u64 = 0;

/// A folder as `model` reads it.
pub fn read_for(
    model: &Model,
    folder: &Path,
    reader: &Reader,
    reporter: &Reporter,
) -> Result<(PictureSet, Vec<Skipped>), Stop> {
    let pictures = Pictures::Of(model.config.picture);
    let taken = read(&[folder.to_owned()], Labelling::FromFolders, pictures, reader, reporter)?;
    Ok((taken.set, taken.skipped))
}

/// The report on `model` and FOLDER/<label>/….
pub fn report_folder(
    folder: &Path,
    model: &Model,
    reader: &Reader,
    reporter: &Reporter,
) -> Result<(Report, Vec<Skipped>), Stop> {
    let (set, skipped) = read_for(model, folder, reader, reporter)?;
    Ok((report(model, &set, SEED, reporter)?, skipped))
}

/// `model` repaired on a set that was read for it, on at most [`crate::batchnorm::MEASURED`] files.
pub fn repair_set(model: &Model, how: Repair, set: &PictureSet, reporter: &Reporter) -> Result<Model, Stop> {
    let known = known_files(model, set, SEED)?;
    let files = known.pictures(set);
    let batch_size = model.config.training.batch_size.max(2);
    let before = compare(&model.network, set.spec, &files, batch_size, reporter)?;
    Ok(repair(model, how, &files, batch_size, &before, reporter)?.model)
}
