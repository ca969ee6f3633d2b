//! The open question. The answer is typed; a path can also be chosen in the system's dialog.

use super::command::Command;
use super::controls::{just_opened, primary_button};
use super::message::Tone;
use super::question::{Answer, Purpose, Question};
use super::session::Session;
use super::theme::{title, tone_mark};
use super::view::View;
use crate::escape;
use crate::sample::Sha256;
use crate::workflow::{SHARED, count};
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Id, Key, Modal, RichText, Role, TextEdit, Ui, WidgetInfo};

/// Existing labels offered, at most.
const OFFERED: usize = 24;

/// Draws the question, if one is open.
pub fn question_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    let Some(question) = &mut view.question else { return };
    let modal = Modal::new(Id::unique("question"))
        .frame(egui::Frame::popup(ui.style()).inner_margin(18))
        .show(ui, |ui| {
            ui.set_width(520.0);
            content_ui(ui, session, question, out)
        });
    if modal.inner || modal.should_close() {
        view.question = None;
    }
}

/// Draws the content. Returns whether the question is to be closed.
fn content_ui(ui: &mut Ui, session: &Session, question: &mut Question, out: &mut Vec<Command>) -> bool {
    let (text, verb, name) = match question {
        Question::Path { purpose, .. } => (purpose.title().to_owned(), purpose.verb(), "File:"),
        Question::Replace { path, .. } => (format!("{} exists", escape::file_name(path)), "Replace it", ""),
        Question::Close { training: true } => {
            ("A training is running".to_owned(), "Close, and go on later", "")
        }
        Question::Close { training: false } => ("Work is not finished".to_owned(), "Close, and stop it", ""),
        Question::Rename { from, .. } => {
            (format!("Rename the label {}", escape::text(from)), "Rename", "New name:")
        }
        Question::Password(_) => ("A password for encrypted archives".to_owned(), "Try", "Password:"),
        Question::Server { .. } => ("Open a team's library".to_owned(), "Open", "URL:"),
        Question::Label { samples, add: true, .. } => {
            (format!("Add {} to the library", count(samples.len(), "file")), "Add", "Label:")
        }
        Question::Label { samples, .. } => {
            let title = match samples.len() {
                1 => "A label for this sample".to_owned(),
                n => format!("A label for {n} samples"),
            };
            (title, "Label", "Label:")
        }
    };
    ui.label(title(text));
    let entered = field_ui(ui, question, name);
    if let Question::Label { label, .. } = question {
        offered_ui(ui, session, label);
    }
    ui.weak(hint(session, question));
    tested_ui(ui, question);
    ui.horizontal(|ui| {
        let mut close = false;
        let answer = question.answer();
        let clicked = primary_button(ui, answer.is_some(), verb).clicked();
        if let Some(answer) = answer.filter(|_| clicked || entered) {
            out.push(Command::Answer(answer));
            close = true;
        }
        if let Question::Replace { purpose, free: Some(free), .. } = question {
            let text = format!("Save as {}", escape::file_name(free));
            if ui.button(text).on_hover_text("Leaves the existing file as it is").clicked() {
                out.push(Command::Answer(Answer::Replace(*purpose, free.clone())));
                close = true;
            }
        }
        if let Question::Server { url, .. } = question {
            let test = Command::TestServer(url.trim().to_owned());
            let button = ui.add_enabled(question.answer().is_some(), egui::Button::new(test.about().text));
            if button.on_hover_text(test.about().hint).clicked() {
                out.push(test);
            }
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

/// Draws what a test of the connection found, as long as the URL is the one that was tested.
fn tested_ui(ui: &mut Ui, question: &Question) {
    let Question::Server { url, tested: Some((of, found)) } = question else { return };
    if of != url.trim() {
        return;
    }
    let (tone, text) = match found {
        Ok(text) => (Tone::Good, text),
        Err(text) => (Tone::Bad, text),
    };
    let (mark, colour) = tone_mark(ui.visuals(), tone);
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(mark).color(colour));
        let shown = ui.add(egui::Label::new(text).wrap());
        shown.widget_info(|| WidgetInfo::labeled(Role::Status, true, text));
    });
}

/// Draws the text field. Returns whether Enter was pressed in it.
fn field_ui(ui: &mut Ui, question: &mut Question, name: &str) -> bool {
    let secret = matches!(question, Question::Password(_));
    let enter = |ui: &Ui| ui.input(|input| input.key_pressed(Key::Enter));
    let Some(text) = question.text() else { return enter(ui) };
    let label = ui.label(name);
    let length = text.chars().count();
    let edit = TextEdit::singleline(text).password(secret).desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id);
    if just_opened(ui, name) {
        response.request_focus();
        // What is typed replaces what is proposed.
        let mut state = TextEditState::load(ui.ctx(), response.id).unwrap_or_default();
        let all = CCursorRange::two(CCursor::new(0), CCursor::new(length));
        state.cursor.set_char_range(Some(all));
        state.store(ui.ctx(), response.id);
    }
    response.lost_focus() && enter(ui)
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
        Question::Label { samples, add: true, .. } => {
            format!("{}. Leave it empty to add without a label. The files stay where they are.", names(session, samples))
        }
        Question::Label { samples, .. } => {
            format!("{}. Leave it empty to take the label off. Can be undone.", names(session, samples))
        }
        Question::Replace { path, .. } => format!("In {}. It is replaced only once the new one is complete.", escape::path(path.parent().unwrap_or(path))),
        Question::Close { training: false } => "What is stopped leaves the library as it was, or with what was added so far.".to_owned(),
        Question::Close { training: true } => "It ends at its last checkpoint. The next start of the window offers to go on with it.".to_owned(),
        Question::Rename { to, .. } => {
            let known = session.contents.labels().position(Some(to.trim())).is_some();
            if known {
                format!("{} exists: the two labels become one. Can be undone.", escape::text(to.trim()))
            } else {
                "All samples with this label get the new name. Can be undone.".to_owned()
            }
        }
        Question::Password(_) => "The passwords infected and malware are always tried. The paths opened last are opened again. The password stays in memory until the window closes, and is never written to disk.".to_owned(),
        Question::Server { .. } => format!(
            "postgresql://USER@HOST/DATABASE. The password comes from the variable PGPASSWORD or the file .pgpass.\n{SHARED}"
        ),
        Question::Path { purpose: Purpose::Library, .. } => {
            format!("Currently open: {}", escape::path(&session.library_path))
        }
        Question::Path { purpose: Purpose::LoadModel, .. } => {
            "The open folder is embedded with this model.".to_owned()
        }
        Question::Path { .. } => "You are asked before an existing file is replaced.".to_owned(),
    }
}

/// The file names of samples: of the library, or dropped.
fn names(session: &Session, samples: &[Sha256]) -> String {
    const NAMED: usize = 3;
    let name = |sha256: &Sha256| {
        let dropped = session.queried(*sha256).map(|queried| queried.sample.path.as_path());
        let path = session.contents.get(*sha256).map(|entry| entry.path).or(dropped);
        path.map(escape::file_name).unwrap_or_default()
    };
    let mut text = samples.iter().take(NAMED).map(name).collect::<Vec<_>>().join(", ");
    if samples.len() > NAMED {
        text.push_str(&format!(" and {} more", samples.len() - NAMED));
    }
    text
}
