//! Opening paths: files to query, labelled folders, libraries and models.

use super::jobs::Task;
use super::lab_kinds::REPAIR;
use super::message::Tone;
use super::selection::Selection;
use super::view::Tab;
use super::window::App;
use crate::escape;
use crate::job::Stop;
use crate::library::{Contents, Library};
use crate::model::Model;
use crate::workflow::{self, LabelledFolder, Pictures, QueryResult, Run, read_folder};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Queried samples whose pictures are kept to be shown.
const PICTURES: usize = 2000;

/// The result of opening a folder.
enum Opened {
    Folder(LabelledFolder),
    Queried(QueryResult),
}

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

    fn open_folder(&mut self, folder: PathBuf) {
        let (contents, k) = (self.session.contents.clone(), self.view.kept.k);
        let reader = self.session.reader.clone();
        let path = folder.clone();
        self.start(
            Task::new(format!("Opening {}", escape::file_name(&folder))),
            move |run| {
                if contents.model().is_some() && !holds_folders(&folder) {
                    let result = workflow::query(&[folder], &contents, k, PICTURES, &reader, run)?;
                    return Ok(Opened::Queried(result));
                }
                drop(contents);
                Ok(Opened::Folder(read_folder(&folder, Pictures::Chosen, &reader, run)?))
            },
            move |app, opened| match opened {
                Opened::Folder(folder) => app.show_folder(folder),
                Opened::Queried(result) => app.show_queried(vec![path], result),
            },
        );
    }

    /// Queries files.
    pub(super) fn query(&mut self, files: Vec<PathBuf>) {
        let (contents, k) = (self.session.contents.clone(), self.view.kept.k);
        let reader = self.session.reader.clone();
        let title = match files.as_slice() {
            [only] => format!("Querying {}", escape::file_name(only)),
            many => format!("Querying {} files", many.len()),
        };
        let paths = files.clone();
        self.start(
            Task::new(title),
            move |run| workflow::query(&files, &contents, k, PICTURES, &reader, run),
            |app, result| app.show_queried(paths, result),
        );
    }

    /// Shows the samples queried at `paths`. If the library's model has changed meanwhile, their embeddings cannot
    /// be compared with the library's, so the paths are queried again.
    fn show_queried(&mut self, paths: Vec<PathBuf>, result: QueryResult) {
        if self.session.contents.model_hash() != Some(result.model) {
            if self.session.has_model() {
                self.session.say(Tone::Note, "Queried again: the library's model changed meanwhile");
                self.query(paths);
            } else {
                self.session.say(Tone::Note, "Not shown: the library's model changed meanwhile");
            }
            return;
        }
        let last = result.queried.last().map(|queried| queried.sample.sha256);
        for queried in result.queried {
            self.session.queried.retain(|other| other.sample.sha256 != queried.sample.sha256);
            self.session.queried.push(queried);
        }
        if let Some(last) = last {
            self.select(Some(Selection::Queried(last)));
            self.view.kept.tab = Tab::Map;
        }
        // Samples may have been added to the library meanwhile.
        self.refresh_queried();
    }

    fn show_folder(&mut self, folder: LabelledFolder) {
        let (path, labels) = (escape::path(&folder.path), folder.labels);
        self.session
            .say(Tone::Good, format!("{path}: {} files of {labels} labels", folder.set.samples.len()));
        if labels < 2 {
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
        self.session.folder = Some(folder);
        self.lab.forget_folder();
        self.measure();
        if !self.held_out.is_empty() {
            self.train(self.view.kept.train_config());
        } else if self.session.has_model() && self.view.kept.tab == Tab::Map {
            self.view.kept.tab = Tab::Training;
        }
    }

    /// Closes the library; `path` is that of the next one.
    pub(super) fn close_library(&mut self, path: PathBuf) {
        self.session.library = None;
        self.session.library_path = path;
        self.session.show(Contents::default());
    }

    pub(super) fn open_library(&mut self, path: PathBuf) {
        self.start(
            Task::new(format!("Opening {}", escape::file_name(&path))),
            move |_| {
                let library = Library::open_or_create(&path)?;
                let contents = workflow::with_first_map(library.contents()?);
                Ok((library, contents))
            },
            |app, (library, contents)| {
                app.show_library(library, contents);
                app.open_waiting();
            },
        );
    }

    /// Shows a library.
    pub(super) fn show_library(&mut self, library: Library, contents: Contents) {
        let path = library.path().to_owned();
        if !path.starts_with(&self.demo_folder) {
            self.own_library.clone_from(&path);
        }
        if let Some(why) = contents.damage() {
            self.session.say(
                Tone::Bad,
                format!("The library is damaged ({why}): {} samples could be read and are shown. Save them as CSV, or restore a backup; `lookalike library check` reports details", contents.len()),
            );
        } else if let Some(why) = library.read_only() {
            self.session
                .say(Tone::Note, format!("The library is read-only ({why}): no samples can be added to it"));
        }
        if path != self.session.library_path {
            self.view.focus = None;
        }
        self.session.library_path = path;
        self.session.library = Some(library);
        tracing::info!("the library is open: {} samples", contents.len());
        let provisional = contents.provisional();
        self.session.show(contents);
        self.view.marked = self.view.marked.filter(|marked| self.session.place_of(*marked).is_some());
        self.view.fit = true;
        if self.session.history.is_empty()
            && let Some(model) = self.session.contents.model()
        {
            self.session.history.clone_from(&model.config.training.history);
        }
        if provisional && !self.session.contents.is_empty() {
            self.compute_map();
        }
        self.refresh_queried();
        self.find_neighbours();
        self.measure_usual_distance();
        self.lab.set_model(self.session.contents.model().cloned());
        // The measurements on the open folder stay valid when samples are added by the same model.
        if self.lab.report().is_none() {
            self.measure();
        }
    }

    pub(super) fn open_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            self.open(waiting);
        }
    }

    /// Loads a model and embeds the open folder with it. It becomes the library's model.
    pub(super) fn load_model(&mut self, path: PathBuf) {
        let Some(folder) = self.session.folder.clone() else {
            self.session.say(
                Tone::Bad,
                "Expected an open labelled folder to embed, found none. Open the folder, then load the model",
            );
            return;
        };
        let library = self.session.library_path.clone();
        self.start(
            Task::new(format!("Loading {}", escape::file_name(&path))),
            move |run| {
                let model = Model::load(&path)?;
                if model.usable().is_err() {
                    return Ok(Err(Arc::new(model)));
                }
                Ok(Ok(embed_folder(&model, &folder, &library, run)?))
            },
            |app, loaded| match loaded {
                Ok(embedded) => app.show_embedded(embedded, "Model loaded"),
                Err(unusable) => app.examine(unusable),
            },
        );
    }

    /// Embeds the open folder with `model`, which becomes the library's model.
    pub(super) fn use_model(&mut self, model: Arc<Model>, message: String) {
        let Some(folder) = self.session.folder.clone() else { return };
        let library = self.session.library_path.clone();
        self.start(
            Task::new("Embedding the folder again").of_kind(REPAIR),
            move |run| embed_folder(&model, &folder, &library, run),
            move |app, embedded| app.show_embedded(embedded, &message),
        );
    }

    fn show_embedded(&mut self, (library, contents, samples): Embedded, message: &str) {
        self.show_library(library, contents);
        self.session.say(Tone::Good, format!("{message}; {samples} samples embedded with it"));
    }
}

/// A library and its contents, with the number of samples embedded.
type Embedded = (Library, Contents, usize);

/// Embeds a folder with `model`, which becomes the library's model.
fn embed_folder(
    model: &Model,
    folder: &LabelledFolder,
    library: &Path,
    run: &Run<'_>,
) -> Result<Embedded, Stop> {
    let mut library = Library::open_or_create(library)?;
    let added = workflow::add_samples(&folder.set, model, &mut library, run)?;
    let contents = workflow::with_first_map(library.contents()?);
    Ok((library, contents, added.new + added.known))
}

fn holds_folders(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|entries| entries.flatten().any(|entry| entry.path().is_dir()))
}
