//! Opening a folder: a labelled folder to train on, or a folder of files to query.

use super::command::Command;
use super::jobs::Task;
use super::lab_kinds::EXPERIMENT;
use super::message::Tone;
use super::query::PICTURES;
use super::view::Tab;
use super::window::App;
use crate::escape;
use crate::library::{Adopt, Library};
use crate::picture::PictureKind;
use crate::sample::Labelling;
use crate::workflow::{
    self, LabelledFolder, Pictures, QueryResult, count, index_into, read_folder, training_base, usual_model,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a folder turned out to be.
enum Opened {
    Folder(LabelledFolder),
    Queried(QueryResult),
}

impl App {
    /// Opens a folder. One that contains folders is a labelled folder; the files of another are queried.
    pub(super) fn open_folder(&mut self, folder: PathBuf) {
        let (contents, k) = (self.session.contents.clone(), self.view.kept.k);
        let reader = self.session.reader.clone();
        let path = folder.clone();
        self.start(
            Task::new(format!("Opening {}", escape::file_name(&folder))),
            move |run| {
                if !contents.is_empty() && !holds_folders(&folder) {
                    let result = workflow::query(&[folder], &contents, k, PICTURES, &reader, run)?;
                    return Ok(Opened::Queried(result));
                }
                // What the views see is read too, so that the folder can be added without reading it again.
                let views = training_base(contents.model())?.views.clone();
                drop(contents);
                let reader = reader.with_views(views);
                let labelling = Labelling::FromFolders(1);
                Ok(Opened::Folder(read_folder(&folder, labelling, Pictures::Chosen, &reader, run)?))
            },
            move |app, opened| match opened {
                Opened::Folder(folder) => app.show_folder(folder),
                Opened::Queried(result) => app.show_queried(vec![path], result),
            },
        );
    }

    fn show_folder(&mut self, folder: LabelledFolder) {
        let (path, labels) = (escape::path(&folder.path), folder.labels);
        self.session.say(
            Tone::Good,
            format!("{path}: {} of {}", count(folder.set.samples.len(), "file"), count(labels, "label")),
        );
        let bytes = folder.set.spec.kind == PictureKind::Bytes;
        let answers = self.session.contents.is_empty() && self.demo.is_none();
        if labels < 2 && !answers {
            self.session.say(
                Tone::Bad,
                format!("{path} cannot be trained on: expected at least two labels (FOLDER/<label>/<files>), found {labels}. Put the files of each family in a separate folder"),
            );
        }
        let of_demo = folder.path.starts_with(&self.demo_folder);
        if !of_demo && self.session.library_path.starts_with(&self.demo_folder) {
            // The user's samples do not belong in the demo's library.
            let own = self.own_library.clone();
            self.close_library(own.clone());
            if own.exists() {
                self.open_library(own);
            }
        }
        let hash = folder.hash;
        let demo = self.demo.take().filter(|demo| demo.folder == folder.path);
        if self.session.folder.as_ref().is_some_and(|open| open.hash != hash) && self.jobs.stop(EXPERIMENT) {
            self.session.say(Tone::Note, "The experiment was stopped: another folder was opened");
        }
        if !of_demo {
            self.view.kept.opened(&folder.path);
        }
        self.session.folder = Some(folder);
        self.lab.forget_folder();
        self.measure();
        let path = self.session.folder.as_ref().map(|folder| folder.path.clone());
        let may_train = Command::Train.obstacle(&self.facts()).is_none();
        if let Some((_, library)) =
            self.train_when_open.take_if(|(wanted, _)| Some(&*wanted) == path.as_ref()).filter(|_| may_train)
        {
            self.train_into(self.view.kept.train_config(), library, Vec::new());
        } else if let Some(demo) = demo {
            if bytes {
                self.add_to_first_library(demo.held_out);
            } else {
                self.train_into(self.view.kept.train_config(), demo.library, demo.held_out);
            }
        } else if answers {
            self.add_to_first_library(Vec::new());
        } else if self.session.has_model() && self.view.kept.tab == Tab::Map {
            self.view.kept.tab = Tab::Training;
        }
    }
}

impl App {
    /// Adds the open folder to the library, which is empty, with the base model: its files are compared with each other. Then
    /// queries `asked`.
    fn add_to_first_library(&mut self, asked: Vec<PathBuf>) {
        let Some(folder) = &self.session.folder else { return };
        let (set, labels) = (Arc::clone(&folder.set), folder.labels);
        if self.view.kept.tab == Tab::Training {
            self.view.kept.tab = Tab::Map;
        }
        let target = self.target();
        let path = target.path.clone();
        let model = self.session.contents.model().filter(|model| model.config.picture.kind == set.spec.kind);
        let (model, reader, source) = (model.cloned(), self.session.reader.clone(), folder.path.clone());
        self.start(
            Task::new(format!("Adding {}", escape::file_name(&folder.path))),
            move |run| {
                let library = Library::open_or_create(&path)?;
                let model =
                    model.map_or_else(|| usual_model(&library, || set.spec.kind).map(Arc::new), Ok)?;
                if !set.spec.same_pictures(model.config.picture) {
                    // What is trained on are smaller pictures of images.
                    let labelling = Labelling::FromFolders(1);
                    let folders = [source];
                    return index_into(&folders, labelling, &model, library, Adopt::IfComplete, &reader, run);
                }
                workflow::add_to_library(&set, &model, library, Adopt::IfComplete, run)
            },
            move |app, changed| {
                let added = changed.added;
                if app.show_changed(&target, changed) {
                    let next = if labels < 2 {
                        "label some, or open labelled folders, and the answers have names"
                    } else {
                        "training on them helps where text is missing"
                    };
                    let text = format!("{} added and compared; {next}", count(added.new, "sample"));
                    app.session.say(Tone::Good, text);
                    if !asked.is_empty() {
                        app.query(asked);
                    }
                }
            },
        );
    }
}

fn holds_folders(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|entries| entries.flatten().any(|entry| entry.path().is_dir()))
}
