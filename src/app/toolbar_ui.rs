//! The bar at the top: opening things, and the library.

use super::command::Command;
use super::input::paths_in;
use super::session::Session;
use super::view::{Ask, View};
use crate::escape;
use egui::{Align, Layout, TextEdit, Ui};

/// Draws it.
pub fn toolbar_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        if ui
            .button("Open folder…")
            .on_hover_text("A labelled folder: FOLDER/<label>/<files> (Ctrl+Shift+O)")
            .clicked()
        {
            out.push(Command::PickFolder);
        }
        if ui.button("Open files…").on_hover_text("Files to look at (Ctrl+O)").clicked() {
            out.push(Command::PickFiles);
        }
        let label = ui.label("or path:");
        let field = TextEdit::singleline(&mut view.path)
            .hint_text("file or folder, then Enter")
            .desired_width((ui.available_width() - 430.0).clamp(120.0, 420.0));
        let response = ui.add(field).labelled_by(label.id);
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if (ui.button("Open path").clicked() || entered) && !view.path.trim().is_empty() {
            out.push(Command::Open(paths_in(&view.path)));
            view.path.clear();
        }
        let password = ui.button("Password…").on_hover_text("A password for encrypted archives");
        if password.clicked() {
            out.push(Command::Question(Ask::Password));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| library_ui(ui, session, out));
    });
    ui.add_space(2.0);
}

fn library_ui(ui: &mut Ui, session: &Session, out: &mut Vec<Command>) {
    let name = escape::file_name(&session.library_path);
    let mut item = |ui: &mut Ui, enabled: bool, text: &str, ask: Ask| {
        if ui.add_enabled(enabled, egui::Button::new(text)).clicked() {
            out.push(Command::Question(ask));
            ui.close();
        }
    };
    ui.menu_button("Library", |ui| {
        let any = !session.contents.entries.is_empty();
        item(ui, true, "Open or make a library…", Ask::Library);
        item(ui, session.folder.is_some(), "Load a model…", Ask::LoadModel);
        ui.separator();
        item(ui, any, "Save all samples as CSV…", Ask::Samples);
        item(ui, any && !session.contents.places.is_empty(), "Save the map as CSV…", Ask::Map);
        item(ui, session.can_answer(), "Save the model…", Ask::Model);
    })
    .response
    .on_hover_text(escape::path(&session.library_path));
    ui.add(egui::Label::new(egui::RichText::new(name).weak()).truncate())
        .on_hover_text("The library: samples, labels, vectors and the model, in one file on this machine");
}
