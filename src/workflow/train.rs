//! Train on a labelled folder.

use super::read::{Pictures, read};
use crate::job::{Reporter, Stop};
use crate::model::Epoch;
use crate::picture::PictureSet;
use crate::reading::Reader;
use crate::sample::{Labelling, Skipped};
use crate::training::{TrainConfig, Trained, train_resumable};
use std::path::Path;

/// A training with what it was made from.
pub struct TrainedFolder {
    /// The model and the split.
    pub trained: Trained,
    /// All files that were read.
    pub set: PictureSet,
    /// Files that could not be used.
    pub skipped: Vec<Skipped>,
}

/// Reads FOLDER/<label>/… and trains on it, from the checkpoint at `checkpoint` if it is of this training.
pub fn train_folder(
    folder: &Path,
    config: &TrainConfig,
    reader: &Reader,
    checkpoint: &Path,
    reporter: &Reporter,
    on_epoch: impl FnMut(&Epoch),
) -> Result<TrainedFolder, Stop> {
    let mut taken = read(&[folder.to_owned()], Labelling::FromFolders, Pictures::Chosen, reader, reporter)?;
    let unlabelled = taken.set.samples.iter().filter(|sample| sample.label.is_none());
    taken.skipped.extend(unlabelled.map(|sample| {
        let reason =
            "has no label: it lies directly in the folder, not in a folder below it. It was not trained on";
        Skipped::new(sample.path.clone(), reason)
    }));
    let trained = train_resumable(&taken.set, config, checkpoint, reporter, on_epoch)?;
    Ok(TrainedFolder { trained, set: taken.set, skipped: taken.skipped })
}
