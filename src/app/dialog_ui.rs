//! The dialogs: the list of keys, the settings, and what there is to know about the program.

use super::about::PASTE;
use super::command::Command;
use super::controls::heading_ui;
use super::dialog::Dialog;
use super::facts::Facts;
use super::history_ui::history_ui;
use super::models_ui::models_ui;
use super::session::Session;
use super::theme::{medium, small, title};
use super::view::{ThemeChoice, View};
use crate::escape;
use crate::model::Processor;
use egui::{Grid, Id, KeyboardShortcut, Modal, RichText, ScrollArea, Ui};

/// Draws the open dialog.
pub fn dialog_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    renderer: &str,
    out: &mut Vec<Command>,
) {
    let Some(dialog) = view.dialog else { return };
    let most = ui.ctx().content_rect().size() - egui::vec2(64.0, 96.0);
    let modal = Modal::new(Id::unique("dialog")).frame(egui::Frame::popup(ui.style()).inner_margin(18)).show(
        ui,
        |ui| {
            ui.set_width(most.x.min(match dialog {
                Dialog::Keys => 720.0,
                Dialog::History | Dialog::Models => 620.0,
                Dialog::Settings | Dialog::About => 480.0,
            }));
            ui.label(title(dialog.about().text.trim_end_matches('…')));
            ui.add_space(6.0);
            ScrollArea::vertical()
                .max_height(most.y - 60.0)
                .min_scrolled_height((most.y - 60.0).min(520.0))
                .auto_shrink([false, true])
                .show(ui, |ui| match dialog {
                    Dialog::Keys => keys_ui(ui),
                    Dialog::Settings => settings_ui(ui, session, view, out),
                    Dialog::History => history_ui(ui, session, out),
                    Dialog::Models => models_ui(ui, facts, session, out),
                    Dialog::About => about_ui(ui, session, renderer),
                });
            ui.add_space(8.0);
            ui.button("Close").clicked()
        },
    );
    if modal.inner || modal.should_close() {
        view.dialog = None;
    }
}

/// Draws all keys with what they do.
fn keys_ui(ui: &mut Ui) {
    Grid::new("keys").num_columns(3).spacing([20.0, 5.0]).show(ui, |ui| {
        let mut row = |keys: &KeyboardShortcut, text: &str, hint: &str| {
            let keys = ui.ctx().format_shortcut(keys).replace("Questionmark", "?").replace("Comma", ",");
            ui.label(RichText::new(keys).monospace());
            ui.label(medium(text.trim_end_matches('…')));
            ui.weak(hint);
            ui.end_row();
        };
        let keys = Command::keys();
        for command in Command::all() {
            let about = command.about();
            for (key, _) in keys.iter().filter(|(_, other)| *other == command) {
                row(&key.keys, about.text, about.hint);
            }
        }
        row(&PASTE, "Paste", "Opens the pasted paths, or searches for the pasted hash");
    });
    ui.add_space(6.0);
    ui.weak(
        "In a list: arrow keys, Home and End choose a row, Enter opens it. Tab goes to the next control.",
    );
    ui.weak(
        "On the map: the wheel zooms, dragging pans, a click selects, and a double click shows all samples.",
    );
}

/// Draws the settings.
fn settings_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    heading_ui(ui, "Colours");
    ui.horizontal(|ui| {
        for (theme, text) in [
            (ThemeChoice::System, "As the system"),
            (ThemeChoice::Dark, "Dark"),
            (ThemeChoice::Light, "Light"),
        ] {
            if ui.radio(view.kept.theme == theme, text).clicked() {
                out.push(Command::Theme(theme));
            }
        }
    });
    ui.add_space(8.0);
    heading_ui(ui, "Panels");
    ui.horizontal(|ui| {
        for command in [Command::SwapPanels, Command::ResetPanels] {
            let about = command.about();
            if ui.button(about.text).on_hover_text(about.hint).clicked() {
                out.push(command);
            }
        }
    });
    ui.add_space(8.0);
    heading_ui(ui, "Files");
    let mut on = view.kept.unpack_appended;
    let about = Command::UnpackAppended(on).about();
    if ui.checkbox(&mut on, about.text).changed() {
        out.push(Command::UnpackAppended(on));
    }
    ui.weak(about.hint);
    ui.add_space(8.0);
    heading_ui(ui, "Library");
    ui.weak(escape::path(&session.library_path));
}

/// Draws version, licences, renderer and how samples are confined.
fn about_ui(ui: &mut Ui, session: &Session, renderer: &str) {
    ui.label(format!("Version {}", env!("CARGO_PKG_VERSION")));
    ui.weak(env!("CARGO_PKG_DESCRIPTION"));
    ui.add_space(8.0);
    heading_ui(ui, "Samples");
    ui.label("Files are read, never run. Nothing leaves this machine but what is shared with a team whose library you open.");
    if let Some(protection) = session.reader.protection() {
        ui.weak(protection);
    }
    ui.add_space(8.0);
    heading_ui(ui, "This machine");
    if let Some(found) = Processor::found() {
        ui.label(format!("The network is computed on the {}.", found.name));
    }
    ui.label(format!("The window is drawn with {renderer}."));
    ui.add_space(8.0);
    heading_ui(ui, "Licences");
    ui.label("Lookalike: MIT or Apache-2.0.");
    ui.label("Inter, the font of the window: SIL Open Font License 1.1, © The Inter Project Authors.");
    ui.label("Phosphor, the icons: MIT, © Phosphor Icons.");
    ui.label("EfficientNet-Lite0, in the base model for images: Apache-2.0, © Google and ML Illustrated.");
    ui.label(small("The bundled samples and the base model's data have licences of their own, listed beside them in the source."));
}
