//! Draws the window's own file browser.

use super::browser::{Browser, Entry, Wanted};
use super::command::Command;
use super::controls::{icon_button, just_opened, primary_button};
use super::list::{List, Row};
use super::paint::{self, Ink};
use super::picker::Pick;
use super::question::Purpose;
use super::theme::{Tokens, icon, small, title};
use super::view::View;
use crate::escape;
use egui::{Align2, Id, Key, Modal, Rect, ScrollArea, Ui, pos2, vec2};
use indicatif::HumanBytes;

/// Height of a row.
const ROW: f32 = 24.0;

/// Draws the browser, if it is open.
pub fn browser_ui(ui: &mut Ui, view: &mut View, out: &mut Vec<Command>) {
    let Some(browser) = &mut view.browser else { return };
    let size = ui.ctx().content_rect().size();
    let frame = egui::Frame::popup(ui.style()).inner_margin(18);
    let modal = Modal::new(Id::unique("browser")).frame(frame).show(ui, |ui| {
        ui.set_width((size.x - 120.0).min(640.0));
        ui.label(title(match browser.pick {
            Pick::Folder => "Choose a folder",
            Pick::Files => "Choose a file",
            Pick::Save(_) if browser.wanted == Wanted::Question(Purpose::Library) => {
                "Choose a library, or a folder for a new one"
            }
            Pick::Save(_) => "Choose a folder to save in",
        }));
        ui.horizontal(|ui| {
            let parent = browser.folder.parent().map(std::path::Path::to_owned);
            let up = ui
                .add_enabled_ui(parent.is_some(), |ui| icon_button(ui, icon::ARROW_UP, "Folder above"))
                .inner;
            if up.on_hover_text("Shows the folder above (Backspace)").clicked()
                && let Some(parent) = &parent
            {
                out.push(Command::BrowseTo(parent.clone()));
            }
            ui.add(egui::Label::new(escape::path(&browser.folder)).truncate());
        });
        ui.separator();
        entries_ui(ui, browser, size.y, out);
        ui.separator();
        buttons_ui(ui, browser, out)
    });
    if modal.inner || modal.should_close() {
        view.browser = None;
    }
}

fn entries_ui(ui: &mut Ui, browser: &mut Browser, height: f32, out: &mut Vec<Command>) {
    let height = (height - 280.0).clamp(120.0, 420.0);
    let entries = match &browser.entries {
        None => {
            ui.weak("Reading the folder…");
            return;
        }
        Some(Err(why)) => {
            ui.weak(format!("This folder cannot be read: {why}."));
            return;
        }
        Some(Ok(entries)) if entries.is_empty() => {
            ui.weak("This folder is empty.");
            return;
        }
        Some(Ok(entries)) => entries,
    };
    if browser.more {
        ui.weak(format!("Only {} of its entries are listed. Type or paste the path instead.", entries.len()));
    }
    let mut reply = None;
    ScrollArea::vertical().id_salt("browser").max_height(height).auto_shrink([false, false]).show(ui, |ui| {
        let list = List::new("browser", "Files and folders", ROW, entries.len()).chosen(browser.at);
        reply =
            Some(list.show(ui, |ui, i, row| {
                entries.get(i).map_or_else(String::new, |entry| row_ui(ui, entry, row))
            }));
    });
    let Some(reply) = reply else { return };
    if just_opened(ui, "browser list") {
        ui.memory_mut(|memory| memory.request_focus(reply.id));
    }
    let opened = reply.opened.and_then(|i| entries.get(i));
    match opened {
        Some(entry) if entry.folder => out.push(Command::BrowseTo(entry.path.clone())),
        Some(entry) if browser.pick == Pick::Files => out.push(Command::Browsed(entry.path.clone())),
        _ => browser.at = reply.chosen.or(browser.at),
    }
    if reply.focused
        && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Backspace))
        && let Some(parent) = browser.folder.parent()
    {
        out.push(Command::BrowseTo(parent.to_owned()));
    }
}

/// Draws one entry. Returns what a screen reader says of it.
fn row_ui(ui: &Ui, entry: &Entry, row: &Row<'_>) -> String {
    let tokens = Tokens::of(ui.visuals());
    let rect = row.rect.shrink2(vec2(6.0, 0.0));
    let glyph = if entry.folder { icon::FOLDER_OPEN } else { icon::FILE };
    paint::text(ui, rect, Align2::LEFT_CENTER, glyph, &Ink::body(tokens.text2));
    let size = if entry.folder { String::new() } else { HumanBytes(entry.size).to_string() };
    let shown = paint::text(ui, rect, Align2::RIGHT_CENTER, &size, &Ink::small(tokens.text2));
    let room = Rect::from_min_max(rect.min + vec2(22.0, 0.0), pos2(shown.left() - 8.0, rect.bottom()));
    let name = escape::file_name(&entry.path);
    paint::name(ui, room, Align2::LEFT_CENTER, &name, &Ink::body(tokens.text));
    if entry.folder { format!("{name}, folder") } else { name }
}

/// Draws the buttons. Returns whether the browser is to be closed.
fn buttons_ui(ui: &mut Ui, browser: &Browser, out: &mut Vec<Command>) -> bool {
    let chosen = browser.at.and_then(|at| browser.entries.as_ref()?.as_ref().ok()?.get(at));
    let chosen_folder = chosen.filter(|entry| entry.folder).map(|entry| entry.path.clone());
    let (text, path) = match &browser.pick {
        Pick::Folder => ("Open this folder", Some(chosen_folder.unwrap_or_else(|| browser.folder.clone()))),
        Pick::Files => ("Open", chosen.filter(|entry| !entry.folder).map(|entry| entry.path.clone())),
        Pick::Save(name) => {
            let library = browser.wanted == Wanted::Question(Purpose::Library);
            let file = chosen.filter(|entry| library && !entry.folder).map(|entry| entry.path.clone());
            let text = if library { "Choose" } else { "Save here" };
            (text, Some(file.unwrap_or_else(|| browser.folder.join(name))))
        }
    };
    ui.horizontal(|ui| {
        if primary_button(ui, path.is_some(), text).clicked()
            && let Some(path) = &path
        {
            out.push(Command::Browsed(path.clone()));
        }
        let cancel = ui.button("Cancel").clicked();
        if let (Pick::Folder, Some(path)) = (&browser.pick, &path) {
            ui.add(egui::Label::new(small(escape::path(path))).truncate());
        }
        cancel
    })
    .inner
}
