//! Loading a model, and changing the model that the library uses.

use super::jobs::{Kind, Task};
use super::lab_kinds::REPAIR;
use super::library::Target;
use super::message::Tone;
use super::view::Offer;
use super::window::App;
use crate::escape;
use crate::job::Stop;
use crate::library::{Adopt, Adopted, Library};
use crate::model::Model;
use crate::reading::Reader;
use crate::sample::Sha256;
use crate::workflow::{self, ChangedLibrary, LabelledFolder, Run, Warning, add_to_library};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MODELS: Kind = Kind("models");

/// What becomes of the list of previous models when another model is in use.
pub enum Previous {
    /// This one is added.
    Push(Option<Arc<Model>>),
    /// The last one is removed: it is in use again.
    Pop,
}

impl App {
    /// Loads a model into the library, and embeds the open folder with it. It becomes the library's model if no sample drops
    /// out; else it is offered.
    pub(super) fn load_model(&mut self, path: PathBuf) {
        let folder = self.session.folder.clone();
        let target = self.target();
        let library = target.path.clone();
        self.start(
            Task::new(format!("Loading {}", escape::file_name(&path))),
            move |run| {
                let model = Model::load(&path)?;
                if model.usable().is_err() {
                    return Ok(Err(Arc::new(model)));
                }
                let library = Library::open_or_create(&library)?;
                // A folder that was read for other pictures says nothing about the model.
                let fits = folder.filter(|folder| folder.set.spec.same_pictures(model.config.picture));
                let changed = match fits {
                    Some(folder) => add_to_library(&folder.set, &model, library, Adopt::IfComplete, run)?,
                    None => workflow::keep_model(&model, library, &path)?,
                };
                Ok(Ok((Arc::new(model), changed)))
            },
            move |app, loaded| match loaded {
                Ok((model, changed)) => {
                    let adopted = changed.adopted;
                    match changed.added.new + changed.added.known {
                        0 => {
                            if app.show_changed(&target, changed) {
                                app.session.say(Tone::Good, "The model is in the library");
                            }
                        }
                        _ => drop(app.show_embedded(&target, changed, "Model loaded")),
                    }
                    app.offer_model(&target, model, "The loaded model", Some(adopted));
                }
                Err(unusable) => app.examine(unusable),
            },
        );
    }

    /// Embeds the open folder with `model`, which becomes the library's model.
    pub(super) fn use_model(&mut self, model: Arc<Model>, message: String, previous: Previous) {
        let Some(folder) = self.session.folder.clone() else { return };
        let (target, reader) = (self.target(), self.session.reader.clone());
        let library = target.path.clone();
        self.start(
            Task::new("Embedding the folder again").of_kind(REPAIR),
            move |run| embed_folder(&model, &folder, &library, &reader, run),
            move |app, changed| {
                if app.show_embedded(&target, changed, &message) {
                    match previous {
                        Previous::Push(model) => app.lab.previous.extend(model),
                        Previous::Pop => drop(app.lab.previous.pop()),
                    }
                    app.leave_trial();
                }
            },
        );
    }

    /// Offers a model that the library holds and does not use.
    pub(super) fn offer_model(
        &mut self,
        target: &Target,
        model: Arc<Model>,
        what: &str,
        adopted: Option<Adopted>,
    ) {
        let Some(adopted) = adopted.filter(|adopted| !adopted.in_use) else { return };
        let lacking = adopted.lacking;
        self.view.offer = Some(Offer {
            library: target.path.clone(),
            model: model.hash,
            what: what.to_owned(),
            figures: workflow::figures(&model.config),
            weak: Warning::about(&model.config).is_some(),
            lacking,
        });
        let samples = workflow::count(lacking, "sample");
        self.session.say(
            Tone::Note,
            format!("{what} is kept in the library and not in use: it has not embedded {samples}. Use it from the list of models"),
        );
        if target.path == self.session.library_path {
            // The lab is about the model that was made last, in use or not.
            self.lab.set_model(Some(model));
            self.measure();
        }
    }

    /// Makes a model that the library holds its current one.
    pub(super) fn use_stored_model(&mut self, hash: Sha256) {
        let (target, reader) = (self.target(), self.session.reader.clone());
        let path = target.path.clone();
        self.view.offer = None;
        self.start(
            Task::new("Changing the model"),
            move |run| workflow::use_model(Library::open(&path)?, hash, &reader, run),
            move |app, used| {
                let summary = used.summary();
                let changed = ChangedLibrary::with_model(used.library, used.contents, used.left_out);
                if app.show_changed(&target, changed) {
                    app.session.say(Tone::Good, summary);
                    app.read_models();
                }
            },
        );
    }

    /// Reads the models of the open library for their dialog.
    pub(super) fn read_models(&mut self) {
        let path = self.session.library_path.clone();
        self.start(
            Task::new("Reading the models").of_kind(MODELS).quiet().reported(),
            move |_| Ok((Library::open(&path)?.models()?, path)),
            |app, (models, path)| {
                if path == app.session.library_path {
                    app.session.models = Some(models);
                }
            },
        );
    }

    fn show_embedded(&mut self, target: &Target, changed: ChangedLibrary, message: &str) -> bool {
        let samples = changed.added.new + changed.added.known;
        let shown = self.show_changed(target, changed);
        if shown {
            self.session.say(Tone::Good, format!("{message}; {samples} samples embedded with it"));
        }
        shown
    }
}

/// Embeds a folder with `model`, which becomes the library's model: the other samples of the library are read again for it.
fn embed_folder(
    model: &Model,
    folder: &LabelledFolder,
    library: &Path,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<ChangedLibrary, Stop> {
    let library = Library::open_or_create(library)?;
    let changed = add_to_library(&folder.set, model, library, Adopt::IfComplete, run)?;
    if changed.adopted.in_use {
        return Ok(changed);
    }
    let used = workflow::use_model(changed.library, model.hash, reader, run)?;
    let used = ChangedLibrary::with_model(used.library, used.contents, used.left_out);
    Ok(ChangedLibrary { added: changed.added, ..used })
}
