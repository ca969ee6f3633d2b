//! Adding dropped files to the library, under a label or without.

use super::edit_queue::WindowEdit;
use super::jobs::Task;
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::library::Library;
use crate::sample::Sha256;
use crate::workflow::{self, Queried, Verdict, count};
use std::path::Path;

impl App {
    /// The label that the verdicts of all these dropped files agree on.
    pub(super) fn likely_label(&self, files: &[Sha256]) -> Option<String> {
        let mut labels = files.iter().map(|sha256| match &self.session.queried(*sha256)?.near.verdict {
            Some(Verdict::Known { label, .. }) => label.clone(),
            _ => None,
        });
        let first = labels.next()??;
        labels.all(|label| label.as_ref() == Some(&first)).then_some(first)
    }

    /// Adds dropped files to `library`, if it is still the open one.
    pub(super) fn add_queried(&mut self, library: &Path, files: &[Sha256], label: Option<String>) {
        if library != self.session.library_path {
            self.session.say(Tone::Note, "Not added: another library is open now");
            return;
        }
        let Some(model) = self.session.contents.model().cloned() else { return };
        let files: Vec<Queried> =
            files.iter().filter_map(|sha256| self.session.queried(*sha256).cloned()).collect();
        let Some(first) = files.first() else { return };
        let title = match files.len() {
            1 => format!("Adding {}", escape::file_name(&first.sample.path)),
            n => format!("Adding {n} files"),
        };
        let (target, reader) = (self.target(), self.session.reader.clone());
        let path = target.path.clone();
        let named = label
            .as_deref()
            .map_or_else(|| "without a label".to_owned(), |label| format!("as {}", escape::text(label)));
        self.start(
            Task::new(title),
            move |run| {
                let library = Library::open_or_create(&path)?;
                workflow::add_queried(files, label.as_deref(), &model, library, &reader, run)
            },
            move |app, (changed, left_out)| {
                let (added, edit) = (changed.added, changed.edit);
                if !app.show_changed(&target, changed) {
                    return;
                }
                app.view.files.ticked.clear();
                app.view.files.order.only = None;
                let mut text = format!("{} added to the library {named}", count(added.new, "file"));
                if added.known > 0 {
                    text += &format!("; {} there already", count(added.known, "file"));
                }
                if left_out > 0 {
                    text += &format!("; {} left out: gone or changed since", count(left_out, "file"));
                }
                let Some(id) = edit else {
                    return app.session.say(Tone::Good, text);
                };
                let what = format!("add {} {named}", count(added.new + added.known, "file"));
                let edit = WindowEdit { library: target.path, id, text: what };
                app.session.say_done(text, edit.clone());
                app.edit_queue.made(edit);
            },
        );
    }
}
