//! The history of the library: its edits, newest first, each of which can be undone or redone by name.

use super::command::Command;
use super::session::Session;
use super::theme::{Tokens, small};
use crate::escape;
use crate::library::Edit;
use crate::workflow::edit_text;
use egui::{Align, Layout, RichText, Ui};

/// Draws the edits.
pub fn history_ui(ui: &mut Ui, session: &Session, out: &mut Vec<Command>) {
    match &session.edits {
        None => {
            ui.weak("Reading the history…");
        }
        Some(edits) if edits.is_empty() => {
            ui.weak("Nothing was changed in this library yet.");
        }
        Some(edits) => {
            ui.weak("What was changed after an edit is left alone when the edit is undone.");
            for edit in edits {
                ui.separator();
                edit_ui(ui, edit, out);
            }
        }
    }
}

fn edit_ui(ui: &mut Ui, edit: &Edit, out: &mut Vec<Command>) {
    let tokens = Tokens::of(ui.visuals());
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let command = if edit.undone { Command::RedoEdit(edit.id) } else { Command::UndoEdit(edit.id) };
            if ui.button(command.about().text).on_hover_text(command.about().hint).clicked() {
                out.push(command);
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                let text = edit_text(edit);
                let text = if edit.undone { format!("{text} (undone)") } else { text };
                let colour = if edit.undone { tokens.text2 } else { tokens.text };
                ui.add(egui::Label::new(RichText::new(text).color(colour)).truncate());
                let at = escape::text(&edit.at).replace('T', " ").replace('Z', " UTC");
                let by = format!("{at}, {}, from {}", escape::text(&edit.who), escape::text(&edit.source));
                ui.add(egui::Label::new(small(by)).truncate());
            });
        });
    });
}
