//! The open question. The answer is typed; a path can also be chosen in the system's dialog.

use super::command::Command;
use super::question::{Purpose, Question};
use super::session::Session;
use super::view::View;
use crate::escape;
use crate::sample::Sha256;
use egui::{Button, Id, Key, Modal, TextEdit, Ui};

/// Existing labels offered, at most.
const OFFERED: usize = 24;

/// Draws the question, if one is open.
pub fn question_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    let Some(question) = &mut view.question else { return };
    let modal = Modal::new(Id::unique("question")).show(ui, |ui| {
        ui.set_width(520.0);
        content_ui(ui, session, question, out)
    });
    if modal.inner || modal.should_close() {
        view.question = None;
    }
}

/// Draws the content. Returns whether the question is to be closed.
fn content_ui(ui: &mut Ui, session: &Session, question: &mut Question, out: &mut Vec<Command>) -> bool {
    let (title, verb, name) = match question {
        Question::Path { purpose, .. } => (purpose.title(), purpose.verb(), "File:"),
        Question::Password(_) => ("A password for encrypted archives", "Try", "Password:"),
        Question::Label { .. } => ("A label for this sample", "Label", "Label:"),
    };
    ui.heading(title);
    let entered = field_ui(ui, question, name);
    if let Question::Label { label, .. } = question {
        offered_ui(ui, session, label);
    }
    ui.weak(hint(session, question));
    ui.horizontal(|ui| {
        let mut close = false;
        let answer = question.answer();
        let clicked = ui.add_enabled(answer.is_some(), Button::new(verb)).clicked();
        if let Some(answer) = answer.filter(|_| clicked || entered) {
            out.push(Command::Answer(answer));
            close = true;
        }
        if let Question::Path { .. } = question {
            let about = Command::Browse.about();
            if ui.button(about.text).on_hover_text(about.hint).clicked() {
                out.push(Command::Browse);
            }
        }
        ui.button("Cancel").clicked() || close
    })
    .inner
}

/// Draws the text field. Returns whether Enter was pressed in it.
fn field_ui(ui: &mut Ui, question: &mut Question, name: &str) -> bool {
    let secret = matches!(question, Question::Password(_));
    // A path has a suggestion, which may be right already.
    let focus = !matches!(question, Question::Path { .. });
    let label = ui.label(name);
    let edit = TextEdit::singleline(question.text()).password(secret).desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id);
    if focus && !response.has_focus() && !response.lost_focus() {
        response.request_focus();
    }
    response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

/// Draws the existing labels as buttons that fill in the field.
fn offered_ui(ui: &mut Ui, session: &Session, label: &mut String) {
    ui.horizontal_wrapped(|ui| {
        let labels = session.contents.labels().counts().iter();
        for known in labels.filter_map(|(label, _)| label.as_deref()).take(OFFERED) {
            if ui.small_button(escape::text(known)).clicked() {
                known.clone_into(label);
            }
        }
    });
}

/// The line below the field.
fn hint(session: &Session, question: &Question) -> String {
    match question {
        Question::Label { sha256, .. } => {
            format!("{}. Leave it empty for no label. The library records each change.", name(session, *sha256))
        }
        Question::Password(_) => "The passwords infected and malware are always tried. The paths opened last are opened again. The password stays in memory until the window closes, and is never written to disk.".to_owned(),
        Question::Path { purpose: Purpose::Library, .. } => {
            format!("Currently open: {}", escape::path(&session.library_path))
        }
        Question::Path { purpose: Purpose::LoadModel, .. } => {
            "The open folder is embedded with this model.".to_owned()
        }
        Question::Path { .. } => "An existing file is replaced only once the new one is complete.".to_owned(),
    }
}

/// The file name of a sample of the library.
fn name(session: &Session, sha256: Sha256) -> String {
    session.contents.get(sha256).map(|entry| escape::file_name(entry.path)).unwrap_or_default()
}
