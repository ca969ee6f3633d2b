//! Buttons and menu entries of commands.

use super::about::Shortcut;
use super::command::Command;
use super::facts::Facts;
use egui::{Button, Response, Ui};

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
    let text = command.about().text;
    command_entry_as(ui, facts, Button::new(text), command, out);
}

/// Same as [`command_entry`], but with its own text or look.
pub fn command_entry_as(
    ui: &mut Ui,
    facts: &Facts,
    entry: Button<'_>,
    command: Command,
    out: &mut Vec<Command>,
) {
    let entry = match command.about().key {
        Some(key) => entry.shortcut_text(ui.ctx().format_shortcut(&key.keys)),
        None => entry,
    };
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
