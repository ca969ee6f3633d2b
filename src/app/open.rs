//! Opening paths: files to query, labelled folders, libraries and models.

use super::message::Tone;
use super::window::App;
use crate::escape;
use std::path::PathBuf;

impl App {
    /// Opens paths. A folder that holds folders is a labelled folder; everything else is queried.
    pub(super) fn open(&mut self, paths: Vec<PathBuf>) {
        self.opened_last.clone_from(&paths);
        let (folders, mut files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
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
        if !self.session.has_model() {
            let first = files.first().map(|path| escape::path(path)).unwrap_or_default();
            self.session.say(
                Tone::Bad,
                format!("{first} cannot be compared yet: the library has no samples. Open a labelled folder (FOLDER/<label>/<files>) and train a model first"),
            );
            return;
        }
        self.query(files);
    }

    pub(super) fn open_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            self.open(waiting);
        }
    }
}
