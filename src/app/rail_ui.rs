//! The rail: the left panel of a small window. It shows the verdicts of the dropped files and opens the panel over the
//! map.

use super::command::Command;
use super::command_ui::hint_text;
use super::controls::icon_button;
use super::selection::Selection;
use super::session::Session;
use super::theme::{Tokens, icon, small};
use super::verdict_look::State;
use super::view::Side;
use crate::escape;
use egui::{Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

/// The width of the rail.
pub const RAIL: f32 = 44.0;

/// Dropped files shown, at most. The table has all.
const LISTED: usize = 40;

/// Draws the rail.
pub fn rail_ui(ui: &mut Ui, session: &Session, out: &mut Vec<Command>) {
    ui.add_space(6.0);
    ui.vertical_centered(|ui| {
        let command = Command::TogglePanel(Side::Left);
        let about = command.about();
        let open = icon_button(ui, icon::SIDEBAR, about.text);
        if open.on_hover_text(hint_text(ui, about.hint, about.key)).clicked() {
            out.push(command);
        }
    });
    let tokens = Tokens::of(ui.visuals());
    ScrollArea::vertical()
        .id_salt("rail")
        .auto_shrink([false, true])
        .max_height(ui.available_height() - 56.0)
        .show(ui, |ui| {
            ui.vertical_centered(|ui| {
                for queried in session.queried.iter().take(LISTED) {
                    let this = Selection::Queried(queried.sample.sha256);
                    let (rect, response) = ui.allocate_exact_size(vec2(30.0, 28.0), Sense::click());
                    if session.selection == Some(this) {
                        ui.painter().rect_filled(rect, 5.0, tokens.select);
                    } else if response.hovered() {
                        ui.painter().rect_filled(rect, 5.0, tokens.hover);
                    }
                    let state = State::of(queried.near.verdict.as_ref());
                    state.paint(ui.painter(), rect.center(), 7.0, tokens);
                    let name = escape::file_name(&queried.sample.path);
                    let text = format!("{name}: {}", state.word());
                    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
                    if response.on_hover_text(text).clicked() {
                        out.push(Command::Select(Some(this)));
                    }
                }
            });
        });
    let labels = session.contents.labels().counts().iter().filter(|(label, _)| label.is_some()).count();
    if labels > 0 {
        ui.vertical_centered(|ui| {
            ui.label(egui::RichText::new(icon::TAG).color(tokens.text2));
            ui.label(small(labels.to_string())).on_hover_text("Labels in the library");
        });
    }
}
