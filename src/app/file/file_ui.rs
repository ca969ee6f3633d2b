//! The right panel, one scrolling column: the name of the selected file, the verdict, the nearest samples, then what
//! supports them, in sections that can be folded: pictures, facts, header.

use super::card_ui::card_ui;
use super::content_ui::{facts_ui, header_summary, header_ui, notes_summary};
use super::neighbours_ui::neighbours_ui;
use super::pictures_ui::pictures_ui;
use super::shared_ui::shared_ui;
use super::shown::{Shown, shown};
use super::textures::Textures;
use crate::app::command::Command;
use crate::app::command_ui::{command_button, hint_text};
use crate::app::controls::{icon_button, quiet_button, section_ui};
use crate::app::facts::Facts;
use crate::app::paint::{self, Ink};
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::theme::{Tokens, heading, icon, small};
use crate::app::view::View;
use crate::escape;
use egui::{Align, Align2, Layout, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};
use indicatif::HumanBytes;

/// Width of the position among the dropped files, with the buttons of the next and the previous one.
const POSITION: f32 = 156.0;

/// Draws the selected file, or how to select one.
pub fn file_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    ui.take_available_width();
    let Some(shown) = session.selection.and_then(|selection| shown(session, selection)) else {
        nothing_ui(ui, facts, out);
        return;
    };
    ScrollArea::vertical().id_salt("file").auto_shrink([false, false]).show(ui, |ui| {
        // Room for the scroll bar, which floats.
        ui.set_max_width(ui.available_width() - 4.0);
        ui.add_space(6.0);
        head_ui(ui, session, &shown, out);
        ui.add_space(4.0);
        card_ui(ui, facts, session, &shown, out);
        ui.add_space(8.0);
        neighbours_ui(ui, facts, session, view, textures, out);
        shared_ui(ui, session, shown.sha256);
        ui.add_space(6.0);
        let own = session.facts.get(&shown.sha256);
        let open = &mut view.kept.sections;
        if section_ui(ui, &mut open.pictures, "Pictures", "layout, byte pairs") {
            pictures_ui(ui, &shown, textures);
        }
        let notes = own.map(|own| notes_summary(&own.content)).unwrap_or_default();
        if section_ui(ui, &mut open.facts, "Facts", &notes) {
            facts_ui(ui, &shown, own);
        }
        if let Some(own) = own
            && let Some(summary) = header_summary(&own.content)
            && section_ui(ui, &mut open.header, "Header", &summary)
        {
            header_ui(ui, &own.content);
        }
        ui.add_space(8.0);
    });
}

/// Draws how to select a file.
fn nothing_ui(ui: &mut Ui, facts: &Facts, out: &mut Vec<Command>) {
    ui.add_space((ui.available_height() * 0.2).min(120.0));
    ui.vertical_centered(|ui| {
        let tokens = Tokens::of(ui.visuals());
        ui.label(egui::RichText::new(icon::TRAY_ARROW_DOWN).size(28.0).color(tokens.accent));
        ui.label(heading("No file selected"));
        ui.weak("Drop a file to see what it looks like, or click a sample on the map.");
        ui.add_space(6.0);
        command_button(ui, facts, Command::OpenFiles, out);
    });
}

/// Draws the name, its position among the dropped files, what it is, and its hash.
fn head_ui(ui: &mut Ui, session: &Session, shown: &Shown<'_>, out: &mut Vec<Command>) {
    let tokens = Tokens::of(ui.visuals());
    let n = session.queried.len();
    let at = session.queried.iter().position(|queried| queried.sample.sha256 == shown.sha256);
    let dropped = matches!(session.selection, Some(Selection::Queried(_)));
    ui.horizontal(|ui| {
        ui.set_height(24.0);
        let right = if dropped && n > 1 { POSITION } else { 0.0 };
        let (rect, response) =
            ui.allocate_exact_size(vec2((ui.available_width() - right).max(60.0), 24.0), Sense::hover());
        let name = escape::file_name(shown.path);
        paint::name(ui, rect, Align2::LEFT_CENTER, &name, &Ink::body(tokens.text).weight(600.0));
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
        response.on_hover_text(escape::path(shown.path));
        if let Some(at) = at.filter(|_| dropped && n > 1) {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                for (glyph, command) in
                    [(icon::CARET_RIGHT, Command::NextFile), (icon::CARET_LEFT, Command::PreviousFile)]
                {
                    let about = command.about();
                    if icon_button(ui, glyph, about.text)
                        .on_hover_text(hint_text(ui, about.hint, about.key))
                        .clicked()
                    {
                        out.push(command);
                    }
                }
                ui.label(small(format!("{} of {n}", at + 1)));
            });
        }
    });
    let known =
        session.facts.get(&shown.sha256).and_then(|facts| facts.architecture).map(|found| found.name());
    ui.horizontal(|ui| {
        let kind = match known.or(shown.architecture) {
            Some(architecture) => format!("{} {architecture}, {}", shown.kind, HumanBytes(shown.size)),
            None => format!("{}, {}", shown.kind, HumanBytes(shown.size)),
        };
        ui.label(small(kind));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let copy = quiet_button(ui, icon::COPY, "Copy SHA-256");
            let key = Command::CopyHash.about().key;
            if copy.on_hover_text(hint_text(ui, &shown.sha256.to_string(), key)).clicked() {
                out.push(Command::CopyHash);
            }
            let text = shown.sha256.to_string();
            let (head, tail) = (text.get(..8).unwrap_or_default(), text.get(56..).unwrap_or_default());
            let width = ui.available_width();
            if width >= 134.0 {
                let (rect, hash) = ui.allocate_exact_size(vec2(width.min(132.0), 18.0), Sense::hover());
                let ink = Ink { font: egui::FontId::monospace(12.0), ..Ink::small(tokens.text2) };
                paint::text(ui, rect, Align2::RIGHT_CENTER, &format!("{head}…{tail}"), &ink);
                hash.on_hover_text(text);
            }
        });
    });
}
