//! The bar at the top: buttons to open files and folders, and the library menu.

use super::command::Command;
use super::command_ui::{command_button, command_entry};
use super::facts::Facts;
use super::pasted_paths::paths_in;
use super::question::Purpose;
use super::session::Session;
use super::view::View;
use crate::escape;
use egui::{Align, Label, Layout, RichText, TextEdit, Ui};

/// Draws the buttons, the path field and the library menu.
pub fn toolbar_ui(ui: &mut Ui, facts: &Facts, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        command_button(ui, facts, Command::OpenFolder, out);
        command_button(ui, facts, Command::OpenFiles, out);
        path_ui(ui, view, out);
        command_button(ui, facts, Command::EnterPassword, out);
        appended_ui(ui, view, out);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| library_ui(ui, facts, session, out));
    });
    ui.add_space(2.0);
}

/// Draws the check box that opens archives appended to programs.
fn appended_ui(ui: &mut Ui, view: &View, out: &mut Vec<Command>) {
    let mut on = view.kept.unpack_appended;
    let about = Command::UnpackAppended(on).about();
    if ui.checkbox(&mut on, about.text).on_hover_text(about.hint).changed() {
        out.push(Command::UnpackAppended(on));
    }
}

/// Draws the field for a path, which Enter or the button opens.
fn path_ui(ui: &mut Ui, view: &mut View, out: &mut Vec<Command>) {
    let label = ui.label("or path:");
    let field = TextEdit::singleline(&mut view.path)
        .hint_text("file or folder, then Enter")
        .desired_width((ui.available_width() - 560.0).clamp(120.0, 420.0));
    let response = ui.add(field).labelled_by(label.id);
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let command = Command::Open(paths_in(&view.path));
    let about = command.about();
    if (ui.button(about.text).on_hover_text(about.hint).clicked() || entered) && !view.path.trim().is_empty()
    {
        out.push(command);
        view.path.clear();
    }
}

/// Draws the library menu and the name of the library.
fn library_ui(ui: &mut Ui, facts: &Facts, session: &Session, out: &mut Vec<Command>) {
    ui.menu_button("Library", |ui| {
        command_entry(ui, facts, Command::OpenLibrary, out);
        command_entry(ui, facts, Command::LoadModel, out);
        command_entry(ui, facts, Command::ReadAgain, out);
        ui.separator();
        command_entry(ui, facts, Command::UndoLabel, out);
        ui.separator();
        for purpose in [Purpose::Samples, Purpose::Map, Purpose::Model] {
            command_entry(ui, facts, Command::Save(purpose), out);
        }
        ui.separator();
        command_entry(ui, facts, Command::Keys, out);
    })
    .response
    .on_hover_text(escape::path(&session.library_path));
    let name = escape::file_name(&session.library_path);
    ui.add(Label::new(RichText::new(name).weak()).truncate())
        .on_hover_text("The library: samples, labels, embeddings and the model, in one file on this machine");
}
