//! Trains on the open folder, or adds it to the library without training.

use super::jobs::{TRAIN, Task};
use super::message::Tone;
use super::view::Tab;
use super::window::App;
use crate::escape;
use crate::library::Library;
use crate::training::TrainConfig;
use crate::workflow::{self, Outputs, TrainedFolder, training_summary};
use std::sync::Arc;

impl App {
    /// Trains on the open folder and adds it to the library.
    pub(super) fn train(&mut self, config: TrainConfig) {
        let Some(folder) = &self.session.folder else { return };
        let set = Arc::clone(&folder.set);
        let outputs = Outputs { model: None, library: Some(self.session.library_path.clone()) };
        self.session.history.clear();
        self.view.kept.tab = Tab::Training;
        self.start(
            Task::new("Training").of_kind(TRAIN),
            move |run| workflow::train_folder(&set, &config, &outputs, run),
            |app, trained| app.show_trained(trained),
        );
    }

    fn show_trained(&mut self, trained: TrainedFolder) {
        let config = &trained.model.config;
        self.session.history.clone_from(&config.training.history);
        let message = training_summary(config);
        if let Some((library, contents, _)) = trained.library {
            self.show_library(library, contents);
        }
        // A training started in the lab shows its result there.
        if self.view.kept.tab == Tab::Training {
            self.view.kept.tab = Tab::Map;
        }
        self.session.say(Tone::Good, message);
        let held_out = std::mem::take(&mut self.held_out);
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
        let path = self.session.library_path.clone();
        self.start(
            Task::new(format!("Adding {}", escape::file_name(&folder.path))),
            move |run| {
                let mut library = Library::open_or_create(&path)?;
                let added = workflow::add_samples(&set, &model, &mut library, run)?;
                let contents = workflow::with_first_map(library.contents()?);
                Ok((library, contents, added))
            },
            |app, (library, contents, added)| {
                app.show_library(library, contents);
                app.session
                    .say(Tone::Good, format!("{} samples added, {} already there", added.new, added.known));
            },
        );
    }
}
