//! The open question: typed, or for a path chosen with the system's dialog where there is one.

use super::command::Command;
use super::question::{Purpose, Question};
use super::session::Session;
use super::view::View;
use crate::escape;
use crate::sample::Sha256;
use egui::{Button, Id, Key, Modal, TextEdit, Ui};

/// Labels offered, at most.
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

/// Draws the field. Returns whether Enter was pressed in it.
fn field_ui(ui: &mut Ui, question: &mut Question, name: &str) -> bool {
    let secret = matches!(question, Question::Password(_));
    // There is nothing else to do first, as there is for a path.
    let focus = !matches!(question, Question::Path { .. });
    let label = ui.label(name);
    let edit = TextEdit::singleline(question.text()).password(secret).desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id);
    if focus && !response.has_focus() && !response.lost_focus() {
        response.request_focus();
    }
    response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

/// Draws the labels that exist, to choose one.
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

fn hint(session: &Session, question: &Question) -> String {
    match question {
        Question::Label { sha256, .. } => {
            format!("{}. Empty means no label. The library records who gave it and when.", name(session, *sha256))
        }
        Question::Password(_) => "infected and malware are always tried. What was opened last is opened again. The password is kept in memory until the window is closed, and never written.".to_owned(),
        Question::Path { purpose: Purpose::Library, .. } => {
            format!("Now open: {}", escape::path(&session.library_path))
        }
        Question::Path { purpose: Purpose::LoadModel, .. } => {
            "The open folder is embedded with it.".to_owned()
        }
        Question::Path { .. } => "An existing file of that name is replaced, whole or not at all.".to_owned(),
    }
}

fn name(session: &Session, sha256: Sha256) -> String {
    session.contents.get(sha256).map(|entry| escape::file_name(entry.path)).unwrap_or_default()
}
