//! Buttons and menu entries of commands, and the list of keyboard shortcuts.

use super::about::Shortcut;
use super::command::Command;
use super::facts::Facts;
use super::view::View;
use egui::{Button, Grid, Id, KeyboardShortcut, Modal, Modifiers, Response, RichText, Ui};

/// Draws the button of a command, disabled with the reason where it is not available. A click pushes the
/// command.
pub fn command_button(ui: &mut Ui, facts: &Facts, command: Command, out: &mut Vec<Command>) -> Response {
    let text = command.about().text;
    command_button_as(ui, facts, Button::new(text), command, out)
}

/// Same as [`command_button`], but with its own text or look.
pub fn command_button_as(
    ui: &mut Ui,
    facts: &Facts,
    button: Button<'_>,
    command: Command,
    out: &mut Vec<Command>,
) -> Response {
    let (about, obstacle) = (command.about(), command.obstacle(facts));
    let mut response = ui.add_enabled(obstacle.is_none(), button);
    if let Some(why) = obstacle {
        response = response.on_disabled_hover_text(why);
    }
    if !about.hint.is_empty() || about.key.is_some() {
        response = response.on_hover_text(hint_text(ui, about.hint, about.key));
    }
    if response.clicked() {
        out.push(command);
    }
    response
}

/// Draws a menu entry that closes its menu.
pub fn command_entry(ui: &mut Ui, facts: &Facts, command: Command, out: &mut Vec<Command>) {
    let about = command.about();
    let mut entry = Button::new(about.text);
    if let Some(key) = about.key {
        entry = entry.shortcut_text(ui.ctx().format_shortcut(&key.keys));
    }
    if command_button_as(ui, facts, entry, command, out).clicked() {
        ui.close();
    }
}

/// A hint with the key of the command, as the system writes it.
pub fn hint_text(ui: &Ui, hint: &str, key: Option<Shortcut>) -> String {
    match key {
        None => hint.to_owned(),
        Some(key) => format!("{hint} ({})", ui.ctx().format_shortcut(&key.keys)),
    }
}

/// Draws the list of keyboard shortcuts, if it is open.
pub fn keys_ui(ui: &mut Ui, view: &mut View) {
    if !view.keys_open {
        return;
    }
    let modal = Modal::new(Id::unique("keys")).show(ui, |ui| {
        ui.set_min_width(640.0);
        ui.heading("Keyboard shortcuts");
        ui.add_space(6.0);
        Grid::new("keys").num_columns(3).spacing([20.0, 6.0]).show(ui, |ui| {
            let mut row = |keys: &KeyboardShortcut, text: &str, hint: &str| {
                ui.label(RichText::new(ui.ctx().format_shortcut(keys)).monospace());
                ui.label(text);
                ui.weak(hint);
                ui.end_row();
            };
            for command in Command::with_keys() {
                let about = command.about();
                if let Some(key) = about.key {
                    row(&key.keys, about.text.trim_end_matches('…'), about.hint);
                }
            }
            row(&PASTE, "Paste", "Opens the pasted paths");
        });
        ui.add_space(6.0);
        ui.weak(
            "On the map, the wheel zooms, dragging pans, a click selects and a double click shows all samples.",
        );
        ui.button("Close").clicked()
    });
    if modal.inner || modal.should_close() {
        view.keys_open = false;
    }
}

/// Pasting, which opens the paths in the clipboard.
pub const PASTE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::V);
