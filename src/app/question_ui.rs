//! The question for a path: typed, or chosen with the system's dialog where there is one.

use super::command::Command;
use super::session::Session;
use super::view::{Ask, PathQuestion, View};
use crate::escape;
use egui::{Id, Modal, TextEdit, Ui};
use std::path::PathBuf;

/// Labels that are offered, at most.
const KNOWN: usize = 24;

/// Draws the question, if one is open.
pub fn question_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    let Some(PathQuestion { ask, path }) = &mut view.question else {
        return;
    };
    let (title, verb) = match ask {
        Ask::Neighbours => ("Save the neighbours as CSV", "Save"),
        Ask::Samples => ("Save all samples as CSV", "Save"),
        Ask::Map => ("Save the map as CSV", "Save"),
        Ask::Model => ("Save the model", "Save"),
        Ask::Library => ("Open a library, or make a new one", "Open"),
        Ask::Candidate(_) => ("Save the repaired model", "Save"),
        Ask::ExperimentTable => ("Save the experiment as CSV", "Save"),
        Ask::ExperimentChart => ("Save the chart, as .png or .svg", "Save"),
        Ask::LoadModel => ("Load a model for the open folder", "Load"),
        Ask::Password => ("A password for encrypted archives", "Try"),
        Ask::Label(_) => ("A label for this sample", "Label"),
    };
    let mut close = false;
    let modal = Modal::new(Id::unique("path-question")).show(ui, |ui| {
        ui.set_width(520.0);
        ui.heading(title);
        let secret = *ask == Ask::Password;
        let naming = matches!(ask, Ask::Label(_));
        let label = ui.label(match ask {
            Ask::Password => "Password:",
            Ask::Label(_) => "Label:",
            _ => "File:",
        });
        let edit = TextEdit::singleline(path).password(secret).desired_width(f32::INFINITY);
        let response = ui.add(edit).labelled_by(label.id);
        // There is nothing else to do here first.
        if (secret || naming) && !response.has_focus() && !response.lost_focus() {
            response.request_focus();
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if naming {
            ui.horizontal_wrapped(|ui| {
                for known in session.labels.iter().filter_map(|(label, _)| label.as_deref()).take(KNOWN) {
                    if ui.small_button(escape::text(known)).clicked() {
                        known.clone_into(path);
                    }
                }
            });
        }
        ui.weak(match ask {
            Ask::Label(row) => {
                let entry = session.contents.entries.get(*row);
                let name = entry.map(|entry| escape::file_name(&entry.path)).unwrap_or_default();
                format!("{name}. Without a text it has no label. Who gave it and when is kept; Ctrl+Z takes it back.")
            }
            Ask::Library => format!("Now open: {}", escape::path(&session.library_path)),
            Ask::LoadModel => "The files of the open folder are embedded with it.".to_owned(),
            Ask::Password => {
                "infected and malware are tried without asking. What was opened last is read again. The password is kept in memory until the window is closed, and written nowhere.".to_owned()
            }
            _ => "A file of that name is replaced, whole or not at all.".to_owned(),
        });
        ui.horizontal(|ui| {
            let filled = naming || !path.trim().is_empty();
            if ui.add_enabled(filled, egui::Button::new(verb)).clicked() || (entered && filled) {
                out.push(Command::Answer(*ask, PathBuf::from(path.trim())));
                close = true;
            }
            if !secret && !naming && ui.button("Browse…").on_hover_text("The system's file dialog").clicked() {
                out.push(Command::PickForQuestion);
            }
            close |= ui.button("Cancel").clicked();
        });
    });
    if close || modal.should_close() {
        view.question = None;
    }
}
