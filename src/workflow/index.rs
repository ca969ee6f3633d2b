//! Put files into a library.

use super::read::{Pictures, read};
use crate::job::{Reporter, Stop};
use crate::library::{Added, Batch, Contents, Library};
use crate::model::{Model, embed};
use crate::picture::PictureSet;
use crate::reading::Reader;
use crate::sample::{Layout, Sample, Sha256, Skipped};
use std::path::PathBuf;

/// What indexing did.
#[derive(Debug)]
pub struct Indexed {
    /// How many samples are new, and how many were there.
    pub added: Added,
    /// Files that could not be used.
    pub skipped: Vec<Skipped>,
}

/// Reads the files below `folders`, each FOLDER/<label>/…, embeds them and adds them to `library`.
pub fn index(
    folders: &[PathBuf],
    model: &Model,
    library: &mut Library,
    reader: &Reader,
    reporter: &Reporter,
    on_batch: impl FnMut(&[Sample]),
) -> Result<Indexed, Stop> {
    let taken = read(folders, Layout::Labelled, Pictures::Of(model.config.picture), reader, reporter)?;
    let added = index_set(&taken.set, model, library, reporter, on_batch)?;
    Ok(Indexed { added, skipped: taken.skipped })
}

/// Samples that are added together.
const TOGETHER: usize = 128;

/// Likewise for files already read. Refuses pictures that the model was not made for. Samples are added
/// batch by batch; `on_batch` is told of each once it is there to stay. When cancelled, what was added
/// stays. A model that is new to the library answers once all are there.
pub fn index_set(
    set: &PictureSet,
    model: &Model,
    library: &mut Library,
    reporter: &Reporter,
    mut on_batch: impl FnMut(&[Sample]),
) -> Result<Added, Stop> {
    if set.spec != model.config.picture {
        return Err(Stop::Failed(format!(
            "expected {}, found {}: the model was made for other pictures. Train a model on such files, or choose another model",
            model.config.picture.kind, set.spec.kind
        )));
    }
    model.usable()?;
    let at_once = library.may_answer_by(model.hash)?;
    let stage = reporter.stage("Adding to the library", set.samples.len());
    let mut all = Added::default();
    let batches = set.samples.len().div_ceil(TOGETHER);
    for (i, (samples, pictures)) in
        set.samples.chunks(TOGETHER).zip(set.pictures.chunks(TOGETHER)).enumerate()
    {
        reporter.check()?;
        let shown: Vec<_> = pictures.iter().collect();
        let quiet = Reporter::silent();
        let embeddings = embed(&model.network, model.config.embedding, set.spec, &shown, &quiet)?;
        let batch = Batch { samples, pictures, embeddings: &embeddings };
        let added = library.add(model, batch, at_once || i + 1 == batches)?;
        all.new += added.new;
        all.known += added.known;
        all.relabelled += added.relabelled;
        on_batch(samples);
        stage.advance(samples.len());
    }
    Ok(all)
}

/// The row of a digest in `contents`, if it is there.
pub fn known(contents: &Contents, sha256: Sha256) -> Option<usize> {
    contents.entries.iter().position(|entry| entry.sha256 == sha256)
}
