//! Edits of the library made in the window: labels, renamed labels, removed samples. They are written to the library
//! first, then shown. Undo takes back what was done in this window, and only that; the history undoes any edit by name.

use super::advice::error_advice;
use super::dialog::Dialog;
use super::edit_queue::{WindowEdit, Work};
use super::jobs::{Kind, Task};
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::job::{Failure, Stop};
use crate::library::{Edit, Library, LibraryError, Reverted};
use crate::sample::Sha256;
use crate::workflow::{self, count, edit_text, reverted_text};
use std::path::{Path, PathBuf};

/// Writing edits.
pub const EDIT: Kind = Kind("edit");
const HISTORY: Kind = Kind("history");
const RELOAD: Kind = Kind("reload");
/// The source of an edit in the library's history.
const SOURCE: &str = "the window";
/// Edits listed in the history.
const LISTED: usize = 200;

/// What an edit did to the library.
struct Written {
    /// The edit, if anything changed.
    edit: Option<Edit>,
    /// Labels to be shown.
    labels: Vec<(Sha256, Option<String>)>,
    /// Samples came or went: the contents have to be read again.
    samples: bool,
    /// What to say.
    text: String,
}

impl App {
    /// Gives samples of `library` another label, or none.
    pub(super) fn label(&mut self, library: PathBuf, samples: Vec<Sha256>, label: Option<String>) {
        let session = &mut self.session;
        if library != session.library_path || !samples.iter().all(|sha256| session.contents.contains(*sha256))
        {
            session.say(Tone::Note, "Not labelled: the sample is not in the library that is open now");
            return;
        }
        self.edit(Work::Label(samples, label));
    }

    /// Writes an edit to the open library, after those that wait.
    pub(super) fn edit(&mut self, work: Work) {
        let library = self.session.library_path.clone();
        self.edit_queue.waiting.push_back((library, work));
        self.write_edits();
    }

    /// Writes what waits, unless a job is writing.
    pub(super) fn write_edits(&mut self) {
        if self.edit_queue.busy {
            return;
        }
        let Some((library, work)) = self.edit_queue.waiting.pop_front() else { return };
        match work {
            Work::Label(samples, label) => self.write_label(library, samples, label),
            Work::Rename(from, to) => self.write(library, move |library| {
                let renamed = library.rename_label(&from, &to, SOURCE)?;
                let labels = library.labels()?;
                let edit = renamed.edit.map(|id| library.edit(id)).transpose()?;
                let text = match renamed.merged_with {
                    0 => format!("{} is now {}", escape::text(&from), escape::text(&to)),
                    n => format!(
                        "{} is merged into {}, which {} had",
                        escape::text(&from),
                        escape::text(&to),
                        count(n, "sample")
                    ),
                };
                Ok(Written { edit, labels, samples: false, text })
            }),
            Work::Remove(samples) => self.write(library, move |library| {
                let edit = library.remove(&samples, SOURCE)?;
                let edit = edit.map(|id| library.edit(id)).transpose()?;
                let text =
                    format!("{} removed from the library; the files stay", count(samples.len(), "sample"));
                Ok(Written { edit, labels: Vec::new(), samples: true, text })
            }),
            Work::Latest { undo } => match self.edit_queue.latest(&library, undo).map(|edit| edit.id) {
                Some(id) => self.revert(library, id, undo, true),
                None => self.nothing_to_revert(if undo { "undo" } else { "redo" }),
            },
            Work::History { id, undo } => self.revert(library, id, undo, false),
        }
    }

    fn nothing_to_revert(&mut self, what: &str) {
        self.session.say(Tone::Note, format!("Nothing that was done in this window is left to {what}"));
        self.write_edits();
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
        self.write(library, move |library| {
            let done = library.set_labels(&samples, label.as_deref(), SOURCE)?;
            let edit = done.edit.map(|id| library.edit(id)).transpose()?;
            let text = match &label {
                Some(label) => format!("{name} now {has} the label {label}"),
                None => format!("{name} now {has} no label"),
            };
            let labels = samples.iter().map(|sha256| (*sha256, label.clone())).collect();
            Ok(Written { edit, labels, samples: false, text })
        });
    }

    /// Undoes or redoes an edit of `library`: the `latest` of this window, or one of the history.
    fn revert(&mut self, library: PathBuf, id: i64, undo: bool, latest: bool) {
        let file = library.clone();
        self.run_edit(
            move || {
                let mut library = Library::open_for_edit(&file, id)?;
                if undo { library.undo_edit(id) } else { library.redo_edit(id) }
            },
            move |app, done: Reverted| {
                if !done.is_empty() {
                    app.edit_queue.reverted(&library, id, undo);
                } else if latest {
                    app.edit_queue.forget(&library, id);
                }
                let tone = if done.is_empty() { Tone::Note } else { Tone::Good };
                app.session.say(tone, reverted_text(&done, undo));
                let samples = !done.removed.is_empty() || !done.restored.is_empty();
                app.show_edit(&library, &done.labels, samples);
            },
        );
    }

    /// Writes an edit that can be undone.
    fn write(
        &mut self,
        path: PathBuf,
        work: impl FnOnce(&mut Library) -> Result<Written, LibraryError> + Send + 'static,
    ) {
        let file = path.clone();
        self.run_edit(
            move || {
                let mut library = Library::open(&file)?;
                let mut written = work(&mut library)?;
                if let Some(from) = library.as_copy().filter(|_| written.edit.is_some()) {
                    written.text +=
                        &format!("; kept on this machine, and sent when {} can be reached", from.host);
                }
                Ok(written)
            },
            move |app, written| {
                app.show_edit(&path, &written.labels, written.samples);
                // Another program may have done the same already.
                let Some(edit) = written.edit else {
                    return app.session.say(Tone::Note, "Nothing was changed: it is so already");
                };
                let edit = WindowEdit { library: path, id: edit.id, text: edit_text(&edit) };
                app.session.say_done(written.text, edit.clone());
                app.edit_queue.made(edit);
            },
        );
    }

    /// Runs `work` as the only job that writes edits, then `apply` if it succeeded, then what waits.
    fn run_edit<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> Result<T, LibraryError> + Send + 'static,
        apply: impl FnOnce(&mut Self, T) + Send + 'static,
    ) {
        self.edit_queue.busy = true;
        self.start(
            Task::new("Changing the library").of_kind(EDIT).quiet(),
            move |_| Ok(work().map_err(Failure::from)),
            move |app, written| match written {
                Ok(done) => {
                    app.edits_written += 1;
                    apply(app, done);
                    if app.view.dialog == Some(Dialog::History) {
                        app.read_history();
                    }
                }
                Err(error) => {
                    app.session
                        .say(Tone::Bad, format!("Changing the library: {}", error_advice(error.as_ref())));
                }
            },
        );
    }

    /// Shows what was written to `library`, if it is still the open one.
    fn show_edit(&mut self, library: &Path, labels: &[(Sha256, Option<String>)], samples: bool) {
        if library != self.session.library_path {
            return;
        }
        if samples {
            self.reload();
        } else {
            self.session.relabel(labels);
            self.drop_stale_focus();
            // What files of one label differ in counts less from now on.
            self.find_neighbours();
            self.refresh_queried();
        }
    }

    /// Reads the open library again and shows it; once more, if this window has changed it meanwhile.
    pub(super) fn reload(&mut self) {
        let (path, written) = (self.session.library_path.clone(), self.edits_written);
        let file = path.clone();
        self.start(
            Task::new("Reading the library").of_kind(RELOAD).quiet().reported(),
            move |_| {
                let mut library = Library::open(&file)?;
                let contents = workflow::read_contents(&mut library)?;
                Ok((library, contents))
            },
            move |app, (library, contents)| match (
                path == app.session.library_path,
                written == app.edits_written,
            ) {
                (true, true) => app.show_library(library, contents),
                (true, false) => app.reload(),
                (false, _) => {}
            },
        );
    }

    /// Reads the history of the open library for its dialog.
    pub(super) fn read_history(&mut self) {
        let path = self.session.library_path.clone();
        self.start(
            Task::new("Reading the history").of_kind(HISTORY).quiet().reported(),
            move |_| -> Result<_, Stop> { Ok((Library::open(&path)?.edits(LISTED)?, path)) },
            |app, (edits, path)| {
                if path == app.session.library_path {
                    app.session.edits = Some(edits);
                }
            },
        );
    }
}
