//! Adding samples to a library with a model.

use super::prepare_library::prepare_added;
use super::read::read_in_parts;
use super::read_contents::read_contents;
use super::run::{Event, Run, Warning};
use crate::escape;
use crate::job::{Reporter, Stop};
use crate::library::{Added, Adopt, Adopted, Batch, Contents, Import, Library};
use crate::model::{Embeddings, Model, base_model, base_views_hash, embed};
use crate::picture::{Encoded, PictureKind, PictureSet, PictureSpec};
use crate::reading::Reader;
use crate::sample::{KeepFacts, Labelling, Sample, Sha256};
use std::path::PathBuf;
use std::sync::Arc;

/// Samples of one transaction.
const BATCH: usize = 128;

/// The model to add samples with, if none is given: that of the library, else the base model for files of this kind.
pub fn usual_model(library: &Library, kind: impl FnOnce() -> PictureKind) -> Result<Model, Stop> {
    match library.model()? {
        Some(model) => Ok(model),
        None => Ok(base_model(kind())?),
    }
}

/// The model that a training starts from, where the library has this model: that one if its views are others than those of
/// the base model, so that its samples stay comparable; else the base model. A training on images starts from neither.
pub fn training_base(model: Option<&Arc<Model>>) -> Result<Arc<Model>, Stop> {
    let views = |model: &Model| model.views.as_ref().map(|views| views.hash());
    Ok(match model {
        Some(model)
            if model.config.picture.kind == PictureKind::Bytes
                && views(model).is_some_and(|own| base_views_hash() != Some(own)) =>
        {
            Arc::clone(model)
        }
        _ => Arc::new(base_model(PictureKind::Bytes)?),
    })
}

/// What adding samples to a library did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// The samples.
    pub added: Added,
    /// Whether the library uses the model that they were added with.
    pub adopted: Adopted,
    /// The edit in the library's history, if anything changed.
    pub edit: Option<i64>,
}

/// Reads the files below `folders`, each a labelled folder, embeds them with `model` and adds them to
/// `library`. Each batch is reported as [`Event::Added`] once it is durable; what was added before the task
/// was cancelled stays. A model that is new to the library becomes its current one at the end, if `adopt` says so. Otherwise
/// the current model embeds the samples too, if it can.
pub fn index(
    folders: &[PathBuf],
    labelling: Labelling,
    model: &Model,
    library: &mut Library,
    adopt: Adopt,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<Indexed, Stop> {
    let source = folders.iter().map(|folder| escape::path(folder)).collect::<Vec<_>>().join(", ");
    let mut adding =
        Adding::new(model, library, adopt, (model.config.picture, views_hash(model)), source, run)?;
    let reader = &reader.with_views(model.views.clone()).with_facts(KeepFacts::Hashes);
    read_in_parts(folders, labelling, model.config.picture, reader, run, |set, run| adding.add(&set, run))?;
    adding.finish(adopt, run)
}

/// Adds samples that were read already, as [`index`] does. Fails if the model was made for other pictures.
pub fn add_samples(
    set: &PictureSet,
    model: &Model,
    library: &mut Library,
    adopt: Adopt,
    run: &Run<'_>,
) -> Result<Indexed, Stop> {
    add_read(set, views_hash(model), model, library, adopt, run)
}

/// The same for samples that were read with these views.
pub(super) fn add_read(
    set: &PictureSet,
    views: Option<Sha256>,
    model: &Model,
    library: &mut Library,
    adopt: Adopt,
    run: &Run<'_>,
) -> Result<Indexed, Stop> {
    if model.views.is_some() && set.pictures.iter().any(|picture| picture.views().is_none()) {
        return Err(Stop::failed(
            "expected files that were read for this model, which also compares their text and headers; found files that were read for another. Open the folder again",
        ));
    }
    let wanted = model.config.picture;
    if !set.spec.same_pictures(wanted) {
        return Err(Stop::failed(format!(
            "expected {}, found {}: the model was made for other pictures. Train a model on such files, or choose another model",
            model.config.picture.kind, set.spec.kind
        )));
    }
    let views = views.filter(|_| set.pictures.iter().all(|picture| picture.views().is_some()));
    let mut adding = Adding::new(model, library, adopt, (set.spec, views), common_folder(set), run)?;
    adding.add(set, run)?;
    adding.finish(adopt, run)
}

/// Samples on their way into a library.
struct Adding<'a> {
    model: &'a Model,
    library: &'a mut Library,
    /// The library's current model, if it is another and can embed the same pictures.
    current: Option<Model>,
    import: Import,
    added: Added,
}

impl<'a> Adding<'a> {
    /// Checks the model and warns about it. `spec` and `views` are what the pictures were read with.
    fn new(
        model: &'a Model,
        library: &'a mut Library,
        adopt: Adopt,
        (spec, views): (PictureSpec, Option<Sha256>),
        source: String,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        model.usable()?;
        run.warn_about(model);
        let current = match adopt {
            Adopt::Always => None,
            Adopt::IfComplete if library.is_current_model(model.hash)? => None,
            Adopt::IfComplete => library.model()?,
        };
        let current = current.filter(|current| {
            let wanted = current.config.picture;
            spec.same_pictures(wanted)
                && (current.views.is_none() || views_hash(current) == views)
                && current.usable().is_ok()
        });
        Ok(Self { model, library, current, import: Import::new(source), added: Added::default() })
    }

    fn add(&mut self, set: &PictureSet, run: &Run<'_>) -> Result<(), Stop> {
        let stage = run.reporter().stage("Adding to the library", set.samples.len());
        for (samples, pictures) in set.samples.chunks(BATCH).zip(set.pictures.chunks(BATCH)) {
            run.check()?;
            let model = self.model;
            let embeddings = embed_all(model, &pictures.iter().collect::<Vec<_>>())?;
            let batch = Batch { samples, pictures, embeddings: &embeddings };
            self.added += self.library.add(model, batch, &mut self.import)?;
            if let Some(current) = &self.current {
                let all: Vec<Sha256> = samples.iter().map(|sample| sample.sha256).collect();
                let lacks = self.library.lacks(current.hash, &all)?;
                let lacking = samples.iter().zip(pictures).zip(lacks).filter(|(_, lacks)| *lacks);
                let (samples, pictures): (Vec<_>, Vec<_>) = lacking.map(|(both, _)| both).unzip();
                put_embeddings(current, &samples, &pictures, self.library)?;
            }
            run.event(Event::Added(samples.iter().map(|sample| sample.sha256).collect()));
            stage.advance(samples.len());
        }
        Ok(())
    }

    /// Makes the model the current one, if `adopt` says so, and reports labels that were kept.
    fn finish(self, adopt: Adopt, run: &Run<'_>) -> Result<Indexed, Stop> {
        // A folder without samples brings its model all the same.
        self.library.add_model(self.model, self.import.source())?;
        let adopted = self.library.adopt(self.model.hash, adopt)?;
        prepare_added(self.library, run);
        if self.added.relabelled > 0 {
            run.warn(Warning::OtherLabel(self.added.relabelled));
        }
        Ok(Indexed { added: self.added, adopted, edit: self.import.edit() })
    }
}

fn embed_all(model: &Model, pictures: &[&Encoded]) -> Result<Embeddings, Stop> {
    let config = &model.config;
    embed(&model.network, config.embedding, config.picture, pictures, &Reporter::silent())
}

/// Stores what `model` makes of these pictures of samples that the library has, and the samples' facts.
pub(super) fn put_embeddings(
    model: &Model,
    samples: &[&Sample],
    pictures: &[&Encoded],
    library: &mut Library,
) -> Result<(), Stop> {
    for (samples, pictures) in samples.chunks(BATCH).zip(pictures.chunks(BATCH)) {
        library.add_embeddings(model, samples, pictures, &embed_all(model, pictures)?)?;
    }
    Ok(())
}

fn views_hash(model: &Model) -> Option<Sha256> {
    model.views.as_ref().map(|views| views.hash())
}

/// The folder that holds all these samples, for people.
fn common_folder(set: &PictureSet) -> String {
    let mut folders = set.samples.iter().filter_map(|sample| sample.path.parent());
    let Some(first) = folders.next() else { return String::new() };
    let common = folders.fold(first, |common, folder| {
        common.ancestors().find(|above| folder.starts_with(above)).unwrap_or(common)
    });
    escape::path(common)
}

/// A library after samples were added to it.
pub struct ChangedLibrary {
    /// The library file.
    pub library: Library,
    /// All samples that its current model has embedded, with a first map if it had none.
    pub contents: Contents,
    /// What was added.
    pub added: Added,
    /// Whether the library uses the model that they were added with.
    pub adopted: Adopted,
    /// The edit in the library's history, if anything was added.
    pub edit: Option<i64>,
}

impl ChangedLibrary {
    /// A library that uses another model, which could not embed `left_out` of its samples. Nothing was added.
    pub fn with_model(library: Library, contents: Contents, left_out: usize) -> Self {
        let adopted = Adopted { in_use: true, lacking: left_out, hidden: left_out };
        Self { library, contents, added: Added::default(), adopted, edit: None }
    }
}

/// Adds samples that were read already to `library`, and reads its contents.
pub fn add_to_library(
    set: &PictureSet,
    model: &Model,
    mut library: Library,
    adopt: Adopt,
    run: &Run<'_>,
) -> Result<ChangedLibrary, Stop> {
    let Indexed { added, adopted, edit } = add_samples(set, model, &mut library, adopt, run)?;
    let contents = read_contents(&mut library)?;
    Ok(ChangedLibrary { library, contents, added, adopted, edit })
}

/// Reads folders into `library`, as [`index`] does, and reads its contents.
pub fn index_into(
    folders: &[PathBuf],
    labelling: Labelling,
    model: &Model,
    mut library: Library,
    adopt: Adopt,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<ChangedLibrary, Stop> {
    let Indexed { added, adopted, edit } =
        index(folders, labelling, model, &mut library, adopt, reader, run)?;
    let contents = read_contents(&mut library)?;
    Ok(ChangedLibrary { library, contents, added, adopted, edit })
}
