//! Loading a model, and changing the model that the library uses.

use super::jobs::Task;
use super::lab_kinds::REPAIR;
use super::library::Target;
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::job::Stop;
use crate::library::{Adopt, Library};
use crate::model::Model;
use crate::workflow::{ChangedLibrary, LabelledFolder, Run, add_to_library};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What becomes of the list of previous models when another model is in use.
pub enum Previous {
    /// This one is added.
    Push(Option<Arc<Model>>),
    /// The last one is removed: it is in use again.
    Pop,
}

impl App {
    /// Loads a model and embeds the open folder with it. It becomes the library's model.
    pub(super) fn load_model(&mut self, path: PathBuf) {
        let Some(folder) = self.session.folder.clone() else {
            self.session.say(
                Tone::Bad,
                "Expected an open labelled folder to embed, found none. Open the folder, then load the model",
            );
            return;
        };
        let target = self.target();
        let library = target.path.clone();
        self.start(
            Task::new(format!("Loading {}", escape::file_name(&path))),
            move |run| {
                let model = Model::load(&path)?;
                if model.usable().is_err() {
                    return Ok(Err(Arc::new(model)));
                }
                Ok(Ok(embed_folder(&model, &folder, &library, run)?))
            },
            move |app, loaded| match loaded {
                Ok(changed) => {
                    app.show_embedded(&target, changed, "Model loaded");
                }
                Err(unusable) => app.examine(unusable),
            },
        );
    }

    /// Embeds the open folder with `model`, which becomes the library's model.
    pub(super) fn use_model(&mut self, model: Arc<Model>, message: String, previous: Previous) {
        let Some(folder) = self.session.folder.clone() else { return };
        let target = self.target();
        let library = target.path.clone();
        self.start(
            Task::new("Embedding the folder again").of_kind(REPAIR),
            move |run| embed_folder(&model, &folder, &library, run),
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

    fn show_embedded(&mut self, target: &Target, changed: ChangedLibrary, message: &str) -> bool {
        let samples = changed.added.new + changed.added.known;
        let shown = self.show_changed(target, changed);
        if shown {
            self.session.say(Tone::Good, format!("{message}; {samples} samples embedded with it"));
        }
        shown
    }
}

/// Embeds a folder with `model`, which becomes the library's model.
fn embed_folder(
    model: &Model,
    folder: &LabelledFolder,
    library: &Path,
    run: &Run<'_>,
) -> Result<ChangedLibrary, Stop> {
    add_to_library(&folder.set, model, Library::open_or_create(library)?, Adopt::Always, run)
}
