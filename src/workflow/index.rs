//! Put files into a library.

use super::read::read_in_parts;
use crate::job::{Reporter, Stop};
use crate::library::{Added, Batch, Contents, Library};
use crate::model::{Embeddings, Model, embed};
use crate::picture::PictureSet;
use crate::reading::Reader;
use crate::sample::{Labelling, Sample, Sha256, Skipped};
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
    mut on_batch: impl FnMut(&[Sample]),
) -> Result<Indexed, Stop> {
    model.usable()?;
    let answers = library.may_answer_by(model.hash)?;
    let mut added = Added::default();
    let skipped = read_in_parts(
        folders,
        Labelling::FromFolders,
        model.config.picture,
        reader,
        reporter,
        |set, part| {
            added += add(&set, model, library, answers, part, &mut on_batch)?;
            Ok(())
        },
    )?;
    answer_by(model, library)?;
    Ok(Indexed { added, skipped })
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
    let answers = library.may_answer_by(model.hash)?;
    let added = add(set, model, library, answers, reporter, &mut on_batch)?;
    answer_by(model, library)?;
    Ok(added)
}

fn add(
    set: &PictureSet,
    model: &Model,
    library: &mut Library,
    answers: bool,
    reporter: &Reporter,
    on_batch: &mut dyn FnMut(&[Sample]),
) -> Result<Added, Stop> {
    let stage = reporter.stage("Adding to the library", set.samples.len());
    let mut all = Added::default();
    for (samples, pictures) in set.samples.chunks(TOGETHER).zip(set.pictures.chunks(TOGETHER)) {
        reporter.check()?;
        let shown: Vec<_> = pictures.iter().collect();
        let quiet = Reporter::silent();
        let embeddings = embed(&model.network, model.config.embedding, set.spec, &shown, &quiet)?;
        all += library.add(model, Batch { samples, pictures, embeddings: &embeddings }, answers)?;
        on_batch(samples);
        stage.advance(samples.len());
    }
    Ok(all)
}

/// Now that all samples are there, `model` is the one that answers.
fn answer_by(model: &Model, library: &mut Library) -> Result<(), Stop> {
    let embeddings = Embeddings::new(model.config.embedding);
    library.add(model, Batch { samples: &[], pictures: &[], embeddings: &embeddings }, true)?;
    Ok(())
}

/// The row of a digest in `contents`, if it is there.
pub fn known(contents: &Contents, sha256: Sha256) -> Option<usize> {
    contents.entries.iter().position(|entry| entry.sha256 == sha256)
}
