//! Opening paths: files to query, labelled folders, libraries and models.

use super::jobs::Task;
use super::message::Tone;
use super::window::App;
use crate::library::{Contents, Rows, ServerUrl};
use crate::model::base_model;
use crate::sample::Labelling;
use crate::workflow::kind_of;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl App {
    /// Opens paths. A folder that holds folders is a labelled folder; everything else is queried.
    pub(super) fn open(&mut self, paths: Vec<PathBuf>) {
        let (servers, paths): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| is_url(path));
        servers.into_iter().for_each(|url| self.open_library(url));
        if paths.is_empty() {
            return;
        }
        self.opened_last.clone_from(&paths);
        // What the user opens now is not the folder of an interrupted training.
        self.train_when_open = None;
        // A path may be on a network that does not answer.
        self.start(
            Task::new("Looking at the paths").quiet(),
            move |_| Ok(paths.into_iter().partition(|path| path.is_dir())),
            |app, (folders, files)| app.open_sorted(folders, files),
        );
    }

    /// Opens folders, and files, which may be libraries and models.
    fn open_sorted(&mut self, folders: Vec<PathBuf>, mut files: Vec<PathBuf>) {
        files.retain(|path| {
            let ends_with = |wanted| path.extension().is_some_and(|extension| extension == wanted);
            let (model, library) = (ends_with("safetensors"), ends_with("lookalike"));
            if model {
                self.load_model(path.clone());
            } else if library {
                self.open_library(path.clone());
            }
            !model && !library
        });
        for folder in folders {
            self.open_folder(folder);
        }
        if files.is_empty() {
            return;
        }
        if self.session.has_model() {
            self.query(files);
        } else {
            self.query_with_base_model(files);
        }
    }

    /// Lets the base model answer while the library has no samples and so no model.
    fn query_with_base_model(&mut self, files: Vec<PathBuf>) {
        let (reader, asked) = (self.session.reader.clone(), files.clone());
        self.start(
            Task::new("Reading the base model").quiet(),
            move |_| {
                let kind = kind_of(&asked, Labelling::FromFolders(1), &reader);
                Ok(Contents::new(Arc::new(base_model(kind)?), Rows::default()))
            },
            move |app, contents| {
                // A library may have been opened meanwhile.
                if !app.session.has_model() {
                    app.session.show(contents);
                    app.session.say(
                        Tone::Note,
                        "The library has no samples to compare with yet: open a folder of files to add them",
                    );
                }
                app.query(files);
            },
        );
    }

    pub(super) fn open_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            self.open(waiting);
        }
    }
}

/// Whether this is the URL of a library, and no path.
fn is_url(path: &Path) -> bool {
    path.to_str().is_some_and(ServerUrl::is_one)
}
