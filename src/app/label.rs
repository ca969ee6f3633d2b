//! Labels given in the window: written to the library first, then shown. Undo applies only to labels given in
//! this window.

use super::jobs::Task;
use super::label_edit::LabelEdit;
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::library::Library;
use crate::sample::Sha256;
use std::path::Path;

/// The source of a label in the library's history.
const SOURCE: &str = "the window";

/// Samples and their new labels.
type NewLabels = Vec<(Sha256, Option<String>)>;

impl App {
    /// Gives a sample another label, or none.
    pub(super) fn label(&mut self, sha256: Sha256, label: Option<String>) {
        let Some(entry) = self.session.contents.get(sha256) else { return };
        if label.as_deref() == entry.label {
            return;
        }
        let name = escape::file_name(entry.path);
        let library = self.session.library_path.clone();
        self.start(
            Task::new(format!("Labelling {name}")),
            {
                let (library, label) = (library.clone(), label.clone());
                move |_| Ok(Library::open(&library)?.set_labels(&[sha256], label.as_deref(), SOURCE)?)
            },
            move |app, changes| {
                let text = match &label {
                    Some(label) => format!("{name} now has the label {label}"),
                    None => format!("{name} now has no label"),
                };
                let changes = changes.iter().map(|change| change.id).collect();
                app.label_edits.push(LabelEdit { library: library.clone(), changes });
                app.show_labels(&library, vec![(sha256, label)], text);
            },
        );
    }

    /// Undoes the latest label given in this window to the open library.
    pub(super) fn undo_label(&mut self) {
        let open = &self.session.library_path;
        let Some(at) = self.label_edits.iter().rposition(|edit| edit.library == *open) else { return };
        let LabelEdit { library, changes } = self.label_edits.remove(at);
        self.start(
            Task::new("Undoing a label"),
            {
                let library = library.clone();
                move |_| Ok(Library::open(&library)?.undo_label_changes(&changes)?)
            },
            move |app, undone| {
                let text = match undone.as_slice() {
                    [] => "Nothing was undone: the sample has been given another label since".to_owned(),
                    [one] => match &one.before {
                        Some(label) => format!("{} has the label {label} again", one.sha256.short()),
                        None => format!("{} has no label again", one.sha256.short()),
                    },
                    many => format!("{} samples have their earlier labels again", many.len()),
                };
                let labels = undone.into_iter().map(|change| (change.sha256, change.before)).collect();
                app.show_labels(&library, labels, text);
            },
        );
    }

    /// Shows labels that were written to `library`, if it is still the open one.
    fn show_labels(&mut self, library: &Path, labels: NewLabels, text: String) {
        if library == self.session.library_path {
            self.session.relabel(&labels);
        }
        self.session.say(Tone::Good, text);
    }
}
