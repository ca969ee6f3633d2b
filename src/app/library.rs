//! Opening, showing and closing a library.

use super::dialog::Dialog;
use super::focus::Focus;
use super::jobs::{Kind, Task};
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::library::{Contents, Layout, Library};
use crate::model::is_base_model;
use crate::workflow::{self, ChangedLibrary, MapStart};
use std::path::PathBuf;

/// Opening a library: of two, the one opened last is shown.
pub const OPEN: Kind = Kind("open library");
const PREPARE: Kind = Kind("prepare the search");
const LABELS: Kind = Kind("read labels");

/// The library as it was when a job that changes it began.
#[derive(Clone)]
pub struct Target {
    /// The library file.
    pub path: PathBuf,
    /// The number of edits that this window had written by then.
    pub(super) labels: u64,
}

impl App {
    /// The open library, for a job that will change it.
    pub(super) fn target(&self) -> Target {
        Target { path: self.session.library_path.clone(), labels: self.edits_written }
    }

    /// Opens a library, or creates one.
    pub(super) fn open_library(&mut self, path: PathBuf) {
        self.start(
            Task::new(format!("Opening {}", escape::file_name(&path))).of_kind(OPEN),
            move |run| {
                let mut library = workflow::open_or_create_library(&path, run)?;
                let contents = workflow::read_contents(&mut library)?;
                workflow::warn_if_missing(&library, run);
                Ok((library, contents))
            },
            |app, (library, contents)| {
                app.show_library(library, contents);
                app.prepare_search();
                app.refresh_kept_copy();
            },
        );
    }

    /// Makes what `lookalike query` reads of this library, if something of it is missing. A team's is its curator's business.
    fn prepare_search(&mut self) {
        let path = self.session.library_path.clone();
        if self.session.is_shared() || self.session.library.is_none() {
            return;
        }
        self.start(
            Task::new("Preparing the search").of_kind(PREPARE).quiet(),
            move |run| {
                workflow::prepare_added(&mut Library::open(&path)?, run);
                Ok(())
            },
            |_, ()| {},
        );
    }

    /// Shows what a job made of the library that was open when it began, if it is still open. Returns whether
    /// it is.
    pub(super) fn show_changed(&mut self, target: &Target, changed: ChangedLibrary) -> bool {
        if target.path != self.session.library_path {
            let name = escape::path(&target.path);
            self.session.say(Tone::Note, format!("Stored in {name}, which is no longer open"));
            return false;
        }
        self.say_if_kept(&changed.library);
        self.show_library(changed.library, changed.contents);
        if target.labels != self.edits_written {
            // The job may have read the labels before the latest was written.
            self.read_labels();
        }
        true
    }

    /// Shows a library.
    pub(super) fn show_library(&mut self, library: Library, contents: Contents) {
        let path = library.location().to_path();
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
        let other = path != self.session.library_path || self.session.library.is_none();
        if other && !path.starts_with(&self.demo_folder) {
            self.view.kept.opened(&path);
        }
        if path != self.session.library_path {
            self.leave_library(path);
        }
        if other {
            self.session.slots = self.view.kept.slots.of(&self.session.library_path);
        }
        let other = other || self.session.contents.model_hash() != contents.model_hash();
        self.session.library = Some(library);
        tracing::info!("the library is open: {} samples", contents.len());
        let layout = contents.layout();
        self.textures.clear();
        let dropped: Vec<PathBuf> = if self.session.contents.model_hash() == contents.model_hash() {
            Vec::new()
        } else {
            self.session.queried.iter().map(|queried| queried.sample.path.clone()).collect()
        };
        self.session.show(contents);
        if !dropped.is_empty() {
            self.query_again(dropped);
        }
        self.drop_stale_focus();
        self.view.fit |= other;
        if self.session.curves_of.is_none()
            && self.session.history.is_empty()
            && let Some(model) = self.session.contents.model()
            && !is_base_model(model.hash)
        {
            self.session.history.clone_from(&model.config.training.history);
        }
        let could_gain = self.session.can_gain;
        self.session.can_gain = self.session.contents.model().is_some_and(|model| workflow::can_gain(model));
        if self.session.can_gain && !could_gain {
            self.session.say(
                Tone::Note,
                "The base model sees more in these samples than the library keeps of them: \"Read samples again\" in the Model menu reads their files again",
            );
        }
        match layout {
            Layout::Finished => {}
            Layout::Extended => self.compute_map(MapStart::FromPresent),
            Layout::Sketch => self.compute_map(MapStart::FromSamples),
        }
        self.refresh_queried();
        self.find_neighbours();
        // The lab is about the user's own models: the base model knows none of their labels.
        let own = self.session.contents.model().filter(|model| !is_base_model(model.hash));
        self.lab.set_model(own.cloned());
        // The measurements on the open folder stay valid when samples are added by the same model.
        if self.lab.report().is_none() {
            self.measure();
        }
    }

    /// Reads the samples of the library again with the base model.
    pub(super) fn read_again(&mut self) {
        let (target, reader) = (self.target(), self.session.reader.clone());
        let path = target.path.clone();
        self.start(
            Task::new("Reading the samples again"),
            move |run| workflow::read_again(Library::open(&path)?, &reader, run),
            move |app, done| {
                let summary = done.summary();
                let changed = ChangedLibrary::with_model(done.library, done.contents, done.gone);
                if app.show_changed(&target, changed) {
                    app.session.say(Tone::Good, summary);
                }
            },
        );
    }

    /// Closes the library; `path` is that of the next one.
    pub(super) fn close_library(&mut self, path: PathBuf) {
        self.session.library = None;
        self.leave_library(path);
        self.session.show(Contents::default());
        self.lab.set_model(None);
    }

    /// Forgets what belongs to the library that was open; `path` is that of the next one.
    fn leave_library(&mut self, path: PathBuf) {
        self.view.kept.slots.keep(&self.session.library_path, &self.session.slots);
        self.session.slots = self.view.kept.slots.of(&path);
        self.session.library_path = path;
        (self.session.curves_of, self.session.history) = (None, Vec::new());
        (self.session.edits, self.session.models) = (None, None);
        self.view.dialog.take_if(|dialog| matches!(dialog, Dialog::History | Dialog::Models));
        self.view.hits.clear();
        self.lab.previous.clear();
        self.view.focus = None;
        self.view.marked = None;
    }

    /// Removes the focus on a label that no sample has any more, and the mark on a sample that is gone.
    pub(super) fn drop_stale_focus(&mut self) {
        let (session, view) = (&self.session, &mut self.view);
        view.focus.take_if(|focus| Focus::index(Some(focus), &session.contents).is_none());
        view.marked.take_if(|marked| session.place_of(*marked).is_none());
    }

    /// Reads the labels of the open library again.
    fn read_labels(&mut self) {
        let path = self.session.library_path.clone();
        let file = path.clone();
        self.start(
            Task::new("Reading labels").of_kind(LABELS).quiet(),
            move |_| Ok(Library::open(&file)?.labels()?),
            move |app, labels| {
                if path == app.session.library_path {
                    app.session.relabel(&labels);
                    app.drop_stale_focus();
                    app.find_neighbours();
                    app.refresh_queried();
                }
            },
        );
    }
}
