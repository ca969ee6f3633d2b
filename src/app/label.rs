//! Labels given in the window: written to the library first, then shown.

use super::App;
use super::jobs::{Finished, Kind};
use super::session::Tone;
use crate::escape;
use crate::library::Library;
use crate::sample::Sha256;

/// New labels of samples.
pub type Labels = Vec<(Sha256, Option<String>)>;

impl App {
    /// Gives the sample of a row another label; none if it is empty.
    pub(super) fn label(&mut self, row: usize, typed: &str) {
        let Some(entry) = self.session.contents.entries.get(row) else { return };
        let (sha256, name) = (entry.sha256, escape::file_name(&entry.path));
        let label = Some(typed.trim().to_owned()).filter(|label| !label.is_empty());
        if label == entry.label {
            return;
        }
        let path = self.session.library_path.clone();
        self.jobs.start(Kind::Other, format!("Labelling {name}"), move |_| {
            Library::open(&path)?.set_labels(&[sha256], label.as_deref(), "the window")?;
            let said = match &label {
                Some(label) => format!("{name} has the label {label} now (Ctrl+Z takes it back)"),
                None => format!("{name} has no label now (Ctrl+Z takes it back)"),
            };
            Ok(Finished::Labels(vec![(sha256, label)], said))
        });
    }

    /// Takes the latest change of labels back.
    pub(super) fn undo_labels(&mut self) {
        if self.session.contents.entries.is_empty() {
            return;
        }
        let path = self.session.library_path.clone();
        self.jobs.start(Kind::Other, "Taking labels back", move |_| {
            let undone = Library::open(&path)?.undo_labels()?;
            let said = match undone.as_slice() {
                [] => "No change of a label is left to take back".to_owned(),
                [one] => format!(
                    "{} has {} again",
                    one.sha256.short(),
                    one.before
                        .as_ref()
                        .map_or_else(|| "no label".into(), |label| format!("the label {label}"))
                ),
                many => format!("{} samples have the labels again that they had before", many.len()),
            };
            // The oldest change of a sample has the last word.
            let labels = undone.into_iter().rev().map(|change| (change.sha256, change.before)).collect();
            Ok(Finished::Labels(labels, said))
        });
    }

    /// Labels were written: they are shown as soon as no job reads the contents.
    pub(super) fn take_labels(&mut self, labels: Labels, said: String) {
        self.unlabelled.extend(labels);
        self.session.say(Tone::Good, said);
    }

    /// Shows labels that are waiting, if nobody reads the contents.
    pub(super) fn show_labels(&mut self) {
        if self.unlabelled.is_empty() || !self.session.relabel(&self.unlabelled) {
            return;
        }
        self.unlabelled.clear();
        self.view.only_label = None;
    }
}
