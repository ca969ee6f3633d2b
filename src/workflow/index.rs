//! Adding samples to a library with a model.

use super::map::with_first_map;
use super::read::read_in_parts;
use super::run::{Event, Run, Warning};
use crate::job::{Reporter, Stop};
use crate::library::{Added, Batch, Contents, Library};
use crate::model::{Embeddings, Model, base_model, base_views_hash, embed};
use crate::picture::PictureSet;
use crate::reading::Reader;
use crate::sample::Labelling;
use std::path::PathBuf;
use std::sync::Arc;

/// Samples of one transaction.
const BATCH: usize = 128;

/// The model to add samples with, if none is given: that of the library, else the base model.
pub fn usual_model(library: &Library) -> Result<Model, Stop> {
    match library.model()? {
        Some(model) => Ok(model),
        None => Ok(base_model()?),
    }
}

/// The model that a training starts from, where the library has this model: that one if its views are others than those of
/// the base model, so that its samples stay comparable; else the base model.
pub fn training_base(model: Option<&Arc<Model>>) -> Result<Arc<Model>, Stop> {
    let views = |model: &Model| model.views.as_ref().map(|views| views.hash());
    Ok(match model {
        Some(model) if views(model).is_some_and(|own| base_views_hash() != Some(own)) => Arc::clone(model),
        _ => Arc::new(base_model()?),
    })
}

/// Reads the files below `folders`, each a labelled folder, embeds them with `model` and adds them to
/// `library`. Each batch is reported as [`Event::Added`] once it is durable; what was added before the task
/// was cancelled stays. A model that is new to the library becomes its current one at the end.
pub fn index(
    folders: &[PathBuf],
    labelling: Labelling,
    model: &Model,
    library: &mut Library,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<Added, Stop> {
    adding(model, library, run, |library, current| {
        let mut added = Added::default();
        let reader = &reader.with_views(model.views.clone());
        read_in_parts(folders, labelling, model.config.picture, reader, run, |set, run| {
            added += add_batches(&set, model, library, current, run)?;
            Ok(())
        })?;
        Ok(added)
    })
}

/// Adds samples that were read already, as [`index`] does. Fails if the model was made for other pictures.
pub fn add_samples(
    set: &PictureSet,
    model: &Model,
    library: &mut Library,
    run: &Run<'_>,
) -> Result<Added, Stop> {
    if model.views.is_some() && set.pictures.iter().any(|picture| picture.views().is_none()) {
        return Err(Stop::failed(
            "expected files that were read for this model, which also compares their text and headers; found files that were read for another. Open the folder again",
        ));
    }
    let wanted = model.config.picture;
    if (set.spec.kind, set.spec.side) != (wanted.kind, wanted.side) {
        return Err(Stop::failed(format!(
            "expected {}, found {}: the model was made for other pictures. Train a model on such files, or choose another model",
            model.config.picture.kind, set.spec.kind
        )));
    }
    adding(model, library, run, |library, current| add_batches(set, model, library, current, run))
}

/// The steps around every addition: checks the model and warns about it, runs `add`, makes the model the current one,
/// and reports labels that were kept. `add` gets whether `model` is already the library's current one.
fn adding(
    model: &Model,
    library: &mut Library,
    run: &Run<'_>,
    add: impl FnOnce(&mut Library, bool) -> Result<Added, Stop>,
) -> Result<Added, Stop> {
    model.usable()?;
    warn_about(model, run);
    let current = library.is_current_model(model.hash)?;
    let added = add(library, current)?;
    make_current(model, library)?;
    if added.relabelled > 0 {
        run.warn(Warning::OtherLabel(added.relabelled));
    }
    Ok(added)
}

/// A library after samples were added to it.
pub struct ChangedLibrary {
    /// The library file.
    pub library: Library,
    /// All its samples, with a first map if it had none.
    pub contents: Contents,
    /// What was added.
    pub added: Added,
}

/// Adds samples that were read already to `library`, and reads its contents.
pub fn add_to_library(
    set: &PictureSet,
    model: &Model,
    mut library: Library,
    run: &Run<'_>,
) -> Result<ChangedLibrary, Stop> {
    let added = add_samples(set, model, &mut library, run)?;
    let contents = with_first_map(library.contents()?);
    Ok(ChangedLibrary { library, contents, added })
}

/// Warns if the eval mode of `model` cannot be trusted.
pub fn warn_about(model: &Model, run: &Run<'_>) {
    if let Some(warning) = Warning::about(&model.config) {
        run.warn(warning);
    }
}

pub(super) fn add_batches(
    set: &PictureSet,
    model: &Model,
    library: &mut Library,
    current: bool,
    run: &Run<'_>,
) -> Result<Added, Stop> {
    let stage = run.reporter().stage("Adding to the library", set.samples.len());
    let mut all = Added::default();
    for (samples, pictures) in set.samples.chunks(BATCH).zip(set.pictures.chunks(BATCH)) {
        run.check()?;
        let inputs: Vec<_> = pictures.iter().collect();
        let quiet = Reporter::silent();
        let embeddings =
            embed(&model.network, model.config.embedding, model.config.picture, &inputs, &quiet)?;
        all += library.add(model, Batch { samples, pictures, embeddings: &embeddings }, current)?;
        run.event(Event::Added(samples.iter().map(|sample| sample.sha256).collect()));
        stage.advance(samples.len());
    }
    Ok(all)
}

/// Makes `model` the current one, now that all samples are in the library.
pub(super) fn make_current(model: &Model, library: &mut Library) -> Result<(), Stop> {
    let embeddings = Embeddings::new(model.config.embedding);
    library.add(model, Batch { samples: &[], pictures: &[], embeddings: &embeddings }, true)?;
    Ok(())
}
