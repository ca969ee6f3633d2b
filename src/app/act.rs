//! Carrying out commands: most start a job, whose result `results` takes in.

use super::command::Command;
use super::jobs::{Finished, Kind};
use super::lab::LabFinished;
use super::picker::Pick;
use super::save::suggestion;
use super::session::{Selection, Tone};
use super::view::{Ask, Layout, PathQuestion, Tab};
use super::{App, Picked};
use crate::escape;
use crate::job::{Reporter, Stop};
use crate::library::{Contents, Library};
use crate::model::Model;
use crate::picture::PictureSet;
use crate::sample::Labelling;
use crate::training::{TrainConfig, train_resumable};
use crate::workflow::{self, MapMethod, Pictures, ask, index_set, read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files asked about at once whose pictures are kept to be shown.
const SHOWN: usize = 2000;

impl App {
    pub(super) fn act(&mut self, command: Command) {
        match command {
            Command::Open(paths) => self.open(paths),
            Command::PickFolder => self.pick(Pick::Folder, Picked::Open),
            Command::PickFiles => self.pick(Pick::Files, Picked::Open),
            Command::PickForQuestion => {
                if let Some(question) = &self.view.question {
                    let pick = match question.ask {
                        Ask::LoadModel => Pick::Files,
                        _ => Pick::Save(suggestion(question.ask).to_owned()),
                    };
                    self.pick(pick, Picked::Question);
                }
            }
            Command::Question(Ask::Password) => {
                self.view.question = Some(PathQuestion { ask: Ask::Password, path: String::new() });
            }
            Command::Question(Ask::Label(row)) => {
                let label = self.session.contents.entries.get(row).and_then(|entry| entry.label.clone());
                self.view.question =
                    Some(PathQuestion { ask: Ask::Label(row), path: label.unwrap_or_default() });
            }
            Command::UndoLabels => self.undo_labels(),
            Command::Question(ask) => {
                let folder =
                    directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned()).unwrap_or_default();
                let path = folder.join(suggestion(ask)).to_string_lossy().into_owned();
                self.view.question = Some(PathQuestion { ask, path });
            }
            Command::Answer(ask, path) => {
                self.view.question = None;
                self.answered(ask, path);
            }
            Command::Demo { digits } => self.open_demo(digits),
            Command::Train => self.train(),
            Command::Index => self.index(),
            Command::LayOut(layout) => {
                self.view.kept.layout = layout;
                self.lay_out();
            }
            Command::Select(selection) => self.select(selection),
            Command::Jump(selection) => {
                self.view.marked = Some(selection);
                self.view.kept.tab = Tab::Map;
                self.view.centre_on = self.session.place_of(selection);
            }
            Command::Neighbours(k) => {
                self.view.kept.k = k.max(1);
                self.session.find_neighbours(self.view.kept.k);
            }
            Command::Forget(i) => {
                if i < self.session.asked.len() {
                    self.session.asked.remove(i);
                    let last = self.session.asked.len().checked_sub(1).map(Selection::Asked);
                    self.select(last);
                }
            }
            Command::Cancel(i) => {
                if let Some(running) = self.jobs.running.get(i) {
                    running.job.cancel();
                }
            }
            Command::Lab(command) => self.act_in_lab(command),
            Command::ClearMessages => {
                self.session.messages.clear();
                self.session.skipped.clear();
                self.view.messages_open = false;
            }
        }
    }

    fn pick(&self, pick: Pick, wrap: impl FnOnce(Vec<PathBuf>) -> Picked + Send + 'static) {
        let (sender, ctx) = (self.picked.0.clone(), self.ctx.clone());
        self.picker.pick(
            pick,
            Box::new(move |paths| {
                // The window may be gone by now.
                let _ = sender.send(wrap(paths));
                ctx.request_repaint();
            }),
        );
    }

    /// Folders with folders in them are labelled folders; everything else is asked about.
    pub(super) fn open(&mut self, paths: Vec<PathBuf>) {
        self.opened_last.clone_from(&paths);
        let (folders, mut files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
        files.retain(|path| {
            let model = path.extension().is_some_and(|extension| extension == "safetensors");
            let library = path.extension().is_some_and(|extension| extension == "lookalike");
            if model {
                self.answered(Ask::LoadModel, path.clone());
            } else if library {
                self.open_library(path.clone());
            }
            !model && !library
        });
        for folder in folders {
            let (contents, k) = (Arc::clone(&self.session.contents), self.view.kept.k);
            let reader = self.session.reader.clone();
            self.jobs.start(
                Kind::Other,
                format!("Opening {}", escape::file_name(&folder)),
                move |reporter| {
                    if !holds_folders(&folder) && contents.model.is_some() {
                        return Ok(Finished::Answers(ask(
                            &[folder],
                            &contents,
                            k,
                            SHOWN,
                            &reader,
                            reporter,
                        )?));
                    }
                    drop(contents);
                    let taken = read(
                        std::slice::from_ref(&folder),
                        Labelling::FromFolders,
                        Pictures::Chosen,
                        &reader,
                        reporter,
                    )?;
                    Ok(Finished::Folder(folder, taken))
                },
            );
        }
        if files.is_empty() {
            return;
        }
        if !self.session.can_answer() {
            let first = files.first().map(|path| escape::path(path)).unwrap_or_default();
            self.session.say(
                Tone::Bad,
                format!("{first} cannot be compared yet: the library holds no samples. Open a labelled folder (FOLDER/<label>/<files>) and train a model first"),
            );
            return;
        }
        self.ask_about(files);
    }

    pub(super) fn ask_about(&mut self, files: Vec<PathBuf>) {
        let (contents, k) = (Arc::clone(&self.session.contents), self.view.kept.k);
        let reader = self.session.reader.clone();
        let title = match files.as_slice() {
            [only] => format!("Looking at {}", escape::file_name(only)),
            many => format!("Looking at {} files", many.len()),
        };
        self.jobs.start(Kind::Other, title, move |reporter| {
            Ok(Finished::Answers(ask(&files, &contents, k, SHOWN, &reader, reporter)?))
        });
    }

    pub(super) fn open_library(&mut self, path: PathBuf) {
        self.jobs.start(Kind::Other, format!("Opening {}", escape::file_name(&path)), move |_| {
            let library = Library::open_or_create(&path)?;
            let contents = library.contents()?;
            Ok(Finished::Library(Box::new((library, contents)), None, Vec::new()))
        });
    }

    pub(super) fn open_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            self.open(waiting);
        }
    }

    pub(super) fn train(&mut self) {
        self.train_by(self.view.kept.train_config());
    }

    pub(super) fn train_by(&mut self, config: TrainConfig) {
        let Some(folder) = &self.session.folder else {
            self.session.say(Tone::Bad, "Open a labelled folder first: there is nothing to train on");
            return;
        };
        let set = Arc::clone(&folder.set);
        let path = self.session.library_path.clone();
        let epochs = self.jobs.epochs.0.clone();
        self.session.history.clear();
        self.view.kept.tab = Tab::Training;
        self.jobs.start(Kind::Train, "Training", move |reporter| {
            make_folder(&path)?;
            let checkpoint = checkpoint_of(&path);
            let mut trained = train_resumable(&set, &config, &checkpoint, reporter, |epoch| {
                // The window may be gone by now.
                let _ = epochs.send(*epoch);
                reporter.wake();
            })?;
            let mut library = open_for_writing(&path)?;
            // A cancelled training has kept its best model: what follows takes seconds, and makes it of use.
            let quiet = crate::job::Reporter::silent();
            index_set(&set, &trained.model, &mut library, if reporter.cancelled() { &quiet } else { reporter }, |_| ())?;
            let warning = trained.kept();
            let model = &trained.model;
            let result = &model.config.training;
            let mut said = format!(
                "{} {} files of {} labels. In eval mode {:.1} % of the training files lie at their label (train mode {:.1} %); recall@1 on {} files held back: {}.",
                if result.cancelled { "Cancelled; kept the best model so far, trained on" } else { "Trained on" },
                result.files,
                model.config.labels.len(),
                result.result.eval_mode_accuracy * 100.0,
                result.result.train_mode_accuracy * 100.0,
                result.held_back,
                result.result.recall_at_1.map_or_else(|| "not measured".into(), |r| format!("{:.1} %", r * 100.0)),
            );
            if let Some(step) = trained.resumed_at {
                said.push_str(&format!(" It went on from batch {step}, where it had been interrupted."));
            }
            if let Some(why) = warning {
                said.push_str(&format!(" The checkpoint {why}."));
            }
            let contents = first_map(library.contents()?);
            Ok(Finished::Trained(Box::new((library, contents)), said))
        });
    }

    fn index(&mut self) {
        let (Some(folder), true) = (&self.session.folder, self.session.can_answer()) else {
            return;
        };
        let (set, path) = (Arc::clone(&folder.set), self.session.library_path.clone());
        let contents = Arc::clone(&self.session.contents);
        self.jobs.start(
            Kind::Other,
            format!("Adding {}", escape::file_name(&folder.path)),
            move |reporter| {
                let Some(model) = &contents.model else {
                    return Err(Stop::Failed("the library holds no model".into()));
                };
                let mut library = open_for_writing(&path)?;
                let added = index_set(&set, model, &mut library, reporter, |_| ())?;
                let contents = first_map(library.contents()?);
                let said = format!("{} samples added, {} already there", added.new, added.known);
                Ok(Finished::Library(Box::new((library, contents)), Some(said), Vec::new()))
            },
        );
    }

    pub(super) fn lay_out(&mut self) {
        let contents = Arc::clone(&self.session.contents);
        let Some(hash) = contents.model.as_ref().map(|model| model.hash) else {
            return;
        };
        let method = match self.view.kept.layout {
            Layout::Umap => MapMethod::Umap,
            Layout::Pca => MapMethod::Pca,
        };
        let (path, seed) = (self.session.library_path.clone(), self.view.kept.seed);
        self.jobs.start(Kind::Map, "Map", move |reporter| {
            let places = workflow::lay_out(&contents.embeddings, method, seed, reporter)?;
            open_for_writing(&path)?.put_places(&contents.entries, &places)?;
            Ok(Finished::Places(places, hash))
        });
    }

    pub(super) fn select(&mut self, selection: Option<Selection>) {
        self.session.selection = selection;
        self.view.marked = None;
        self.session.find_neighbours(self.view.kept.k);
        if let Some(Selection::Known(row)) = selection {
            self.inspect(row);
        }
        self.read_header();
    }

    /// Reads what the header of the selected file says.
    fn read_header(&mut self) {
        let (path, sha256) = match self.session.selection {
            None => return,
            Some(Selection::Known(row)) => match self.session.contents.entries.get(row) {
                Some(entry) => (entry.path.clone(), entry.sha256),
                None => return,
            },
            Some(Selection::Asked(i)) => match self.session.asked.get(i) {
                Some(asked) => (asked.sample.path.clone(), asked.sample.sha256),
                None => return,
            },
        };
        if self.session.headers.contains_key(&sha256) {
            return;
        }
        let reader = self.session.reader.clone();
        self.jobs.start(Kind::Header, "Reading the header", move |_| match reader.header(&path)? {
            (found, header) if found == sha256 => Ok(Finished::Header(sha256, header)),
            _ => Err(Stop::Failed("the file has changed since it was read".into())),
        });
    }

    /// Reads a library sample again, for its full picture.
    fn inspect(&mut self, row: usize) {
        let contents = &self.session.contents;
        let (Some(entry), Some(model)) = (contents.entries.get(row), &contents.model) else {
            return;
        };
        if self.session.inspected.contains_key(&row) {
            return;
        }
        let (path, sha256, spec) = (entry.path.clone(), entry.sha256, model.config.picture);
        let reader = self.session.reader.clone();
        self.jobs.start(Kind::Inspect, "Reading the sample", move |_| {
            let (sample, picture) = reader.picture(&path, spec)?;
            if sample.sha256 == sha256 {
                Ok(Finished::Inspected(row, Box::new((sample, picture))))
            } else {
                Err(Stop::Failed("the file has changed since it was added".into()))
            }
        });
    }

    /// Makes another model answer: the open folder is embedded with it.
    pub(super) fn load_model(&mut self, path: PathBuf) {
        let Some(folder) = &self.session.folder else {
            self.session.say(
                Tone::Bad,
                "Open the labelled folder that the model is to be used on first, then load the model",
            );
            return;
        };
        let (set, library) = (Arc::clone(&folder.set), self.session.library_path.clone());
        self.jobs.start(Kind::Other, format!("Loading {}", escape::file_name(&path)), move |reporter| {
            let model = Model::load(&path)?;
            if model.usable().is_err() {
                return Ok(Finished::Lab(LabFinished::Examine(Arc::new(model))));
            }
            embed_by(&model, &set, &library, "Model loaded".into(), reporter)
        });
    }

    /// Lets `model` answer: the open folder is embedded with it.
    pub(super) fn answer_by(&mut self, model: Arc<Model>, said: String) {
        let Some(folder) = &self.session.folder else { return };
        let (set, library) = (Arc::clone(&folder.set), self.session.library_path.clone());
        self.jobs.start(Kind::Repair, "Embedding the folder anew", move |reporter| {
            embed_by(&model, &set, &library, said, reporter)
        });
    }
}

/// Embeds `set` with `model`, which then answers.
fn embed_by(
    model: &Model,
    set: &PictureSet,
    library: &Path,
    said: String,
    reporter: &Reporter,
) -> Result<Finished, Stop> {
    let mut library = open_for_writing(library)?;
    let added = index_set(set, model, &mut library, reporter, |_| ())?;
    let contents = first_map(library.contents()?);
    let said = format!("{said}; {} samples embedded with it", added.new + added.known);
    Ok(Finished::Library(Box::new((library, contents)), Some(said), Vec::new()))
}

/// PCA, where the library has no map yet: there at once.
fn first_map(mut contents: Contents) -> Contents {
    if contents.places.is_empty() {
        contents.places = crate::projection::pca(&contents.embeddings);
        contents.provisional = true;
    }
    contents
}

fn holds_folders(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|entries| entries.flatten().any(|entry| entry.path().is_dir()))
}

/// Opens the library, making its folder if it is the first.
fn open_for_writing(path: &Path) -> Result<Library, Stop> {
    make_folder(path)?;
    Ok(Library::open_or_create(path)?)
}

fn make_folder(path: &Path) -> Result<(), Stop> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            Stop::Failed(format!(
                "the folder for the library could not be made: {error} ({})",
                escape::path(folder)
            ))
        })?;
    }
    Ok(())
}

/// Beside the library: a training of the window belongs to it.
fn checkpoint_of(library: &Path) -> PathBuf {
    let mut name = library.as_os_str().to_owned();
    name.push(".checkpoint");
    PathBuf::from(name)
}
