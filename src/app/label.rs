//! Labels given in the window: written to the library first, then shown. Undo takes back what was given in
//! this window, and only that.

use super::advice::error_advice;
use super::command::Command;
use super::jobs::{Kind, Task};
use super::label_edit::{LabelEdit, LabelWork};
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::job::Failure;
use crate::library::{Library, LibraryError};
use crate::sample::Sha256;
use crate::workflow::count;
use std::path::{Path, PathBuf};

/// Writing labels.
pub const LABEL: Kind = Kind("label");
/// The source of a label in the library's history.
const SOURCE: &str = "the window";

impl App {
    /// Gives samples of `library` another label, or none.
    pub(super) fn label(&mut self, library: PathBuf, samples: Vec<Sha256>, label: Option<String>) {
        let session = &mut self.session;
        if library != session.library_path || !samples.iter().all(|sha256| session.contents.contains(*sha256))
        {
            session.say(Tone::Note, "Not labelled: the sample is not in the library that is open now");
            return;
        }
        self.label_queue.waiting.push_back(LabelWork::Give(library, samples, label));
        self.write_labels();
    }

    /// Undoes the latest label given in this window to the open library.
    pub(super) fn undo_label(&mut self) {
        let library = self.session.library_path.clone();
        self.label_queue.waiting.push_back(LabelWork::Undo(library));
        self.write_labels();
    }

    /// Writes what waits, unless a job is writing.
    pub(super) fn write_labels(&mut self) {
        if self.label_queue.busy {
            return;
        }
        match self.label_queue.waiting.pop_front() {
            None => {}
            Some(LabelWork::Give(library, samples, label)) => self.write_label(library, samples, label),
            Some(LabelWork::Undo(library)) => self.write_undo(library),
        }
    }

    fn write_label(&mut self, library: PathBuf, samples: Vec<Sha256>, label: Option<String>) {
        let name = |sha256: &Sha256| {
            let name = self.session.contents.get(*sha256).map(|entry| escape::file_name(entry.path));
            name.unwrap_or_else(|| sha256.short())
        };
        let (name, has) = match samples.as_slice() {
            [one] => (name(one), "has"),
            many => (count(many.len(), "sample"), "have"),
        };
        let (file, given, given_to) = (library.clone(), label.clone(), samples.clone());
        self.write(
            move || Library::open(&file)?.set_labels(&given_to, given.as_deref(), SOURCE),
            move |app, done| {
                let key = Command::UndoLabel.about().key;
                let undo = key.map(|key| app.ctx.format_shortcut(&key.keys)).unwrap_or_default();
                let text = match &label {
                    Some(label) => format!("{name} now {has} the label {label} ({undo} undoes it)"),
                    None => format!("{name} now {has} no label ({undo} undoes it)"),
                };
                let labels: Vec<_> = samples.iter().map(|sha256| (*sha256, label.clone())).collect();
                app.show_labels(&library, &labels);
                // Another program may have given the label already: then there is nothing to undo.
                if let Some(edit) = done.edit {
                    app.label_edits.push(LabelEdit { library, edit });
                    app.session.say(Tone::Good, text);
                }
            },
        );
    }

    fn write_undo(&mut self, library: PathBuf) {
        let latest = self.label_edits.iter().enumerate().rfind(|(_, edit)| edit.library == library);
        let Some((at, edit)) = latest.map(|(at, edit)| (at, edit.edit)) else {
            self.session.say(Tone::Note, "No label given in this window is left to undo");
            return self.write_labels();
        };
        let file = library.clone();
        self.write(
            move || Library::open(&file)?.undo_edit(edit),
            move |app, undone| {
                app.label_edits.remove(at);
                let (tone, text) = match undone.labels.as_slice() {
                    [] => {
                        let text = "Nothing was undone: the sample has been given another label since";
                        (Tone::Note, text.to_owned())
                    }
                    [(sha256, Some(label))] => {
                        (Tone::Good, format!("{} has the label {label} again", sha256.short()))
                    }
                    [(sha256, None)] => (Tone::Good, format!("{} has no label again", sha256.short())),
                    many => (Tone::Good, format!("{} samples have their earlier labels again", many.len())),
                };
                app.show_labels(&library, &undone.labels);
                app.session.say(tone, text);
            },
        );
    }

    /// Runs `work` as the only job that writes labels, then `apply` if it succeeded, then what waits.
    fn write<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> Result<T, LibraryError> + Send + 'static,
        apply: impl FnOnce(&mut Self, T) + Send + 'static,
    ) {
        self.label_queue.busy = true;
        self.start(
            Task::new("Labelling").of_kind(LABEL).quiet(),
            move |_| Ok(work().map_err(Failure::from)),
            move |app, written| match written {
                Ok(done) => {
                    app.labels_written += 1;
                    apply(app, done);
                }
                Err(error) => {
                    app.session.say(Tone::Bad, format!("Labelling: {}", error_advice(error.as_ref())));
                }
            },
        );
    }

    /// Shows labels that were written to `library`, if it is still the open one.
    fn show_labels(&mut self, library: &Path, labels: &[(Sha256, Option<String>)]) {
        if library == self.session.library_path {
            self.session.relabel(labels);
            self.drop_stale_focus();
            // What files of one label differ in counts less from now on.
            self.find_neighbours();
            self.refresh_queried();
        }
    }
}
