//! Training on the open folder, and adding it to the library without training.

use super::jobs::{TRAIN, Task};
use super::library::Target;
use super::message::Tone;
use super::view::Tab;
use super::window::App;
use crate::escape;
use crate::library::{Adopt, Library};
use crate::training::TrainConfig;
use crate::workflow::{self, Outputs, TrainedFolder, Warning, training_summary};
use std::path::PathBuf;
use std::sync::Arc;

impl App {
    /// Trains on the open folder and adds it to the open library.
    pub(super) fn train(&mut self, config: TrainConfig) {
        self.train_into(config, self.session.library_path.clone(), Vec::new());
    }

    /// Trains on the open folder and adds it to the library at `path`, then queries `held_out`.
    pub(super) fn train_into(&mut self, config: TrainConfig, path: PathBuf, held_out: Vec<PathBuf>) {
        let Some(folder) = &self.session.folder else { return };
        let set = Arc::clone(&folder.set);
        let target = Target { path: path.clone(), ..self.target() };
        let outputs = Outputs { model: None, library: Some(path), adopt: Adopt::IfComplete };
        let model = self.session.contents.model().cloned();
        self.session.curves_of = Some(folder.path.clone());
        self.session.history.clear();
        self.note_training(&target.path);
        self.view.kept.tab = Tab::Training;
        self.start(
            Task::new("Training").of_kind(TRAIN),
            move |run| {
                let base = workflow::training_base(model.as_ref())?;
                workflow::train_folder(&set, &config, Some(&base), &outputs, run)
            },
            move |app, trained| app.show_trained(&target, trained, held_out),
        );
    }

    fn show_trained(&mut self, target: &Target, trained: TrainedFolder, held_out: Vec<PathBuf>) {
        let model = Arc::new(trained.model);
        let config = &model.config;
        let (message, history) = (training_summary(config), config.training.history.clone());
        let unreliable = Warning::about(config).is_some();
        let adopted = trained.changed.as_ref().map(|changed| changed.adopted);
        let added = trained.changed.as_ref().map_or(0, |changed| changed.added.new);
        let shown = trained.changed.is_some_and(|changed| self.show_changed(target, changed));
        self.offer_model(target, Arc::clone(&model), "The trained model", adopted);
        let message = match added {
            0 => message,
            n => format!(
                "{message} {} of the folder are in the library now.",
                workflow::count(n, "new sample")
            ),
        };
        // The warning is in the messages; a green summary would hide it.
        let tone = if unreliable { Tone::Note } else { Tone::Good };
        self.session.say(tone, message);
        if !shown {
            return;
        }
        self.session.history = history;
        // A training started in the lab shows its result there.
        if self.view.kept.tab == Tab::Training {
            self.view.kept.tab = Tab::Map;
        }
        if !held_out.is_empty() {
            self.query(held_out);
        }
    }

    /// Adds the open folder to the library with the library's model.
    pub(super) fn index(&mut self) {
        let (Some(folder), Some(model)) = (&self.session.folder, self.session.contents.model()) else {
            return;
        };
        let (set, model) = (Arc::clone(&folder.set), Arc::clone(model));
        let target = self.target();
        let path = target.path.clone();
        self.start(
            Task::new(format!("Adding {}", escape::file_name(&folder.path))),
            move |run| {
                let library = Library::open_or_create(&path)?;
                workflow::add_to_library(&set, &model, library, Adopt::IfComplete, run)
            },
            move |app, changed| {
                let added = changed.added;
                if app.show_changed(&target, changed) {
                    let text = format!("{} samples added, {} already there", added.new, added.known);
                    app.session.say(Tone::Good, text);
                }
            },
        );
    }
}
