//! The menus, in which every command stands. Alt and the first letter of a menu opens it, F10 the first one; then the arrow
//! keys go through the entries and from menu to menu.

use super::command::Command;
use super::command_ui::{command_entry, command_entry_as};
use super::dialog::Dialog;
use super::facts::Facts;
use super::keyboard::give_focus_to_next;
use super::question::Purpose;
use super::view::{Side, Tab, ThemeChoice, View};
use crate::escape;
use crate::workflow::MapMethod;
use egui::{Context, Id, Key, MenuBar, Modifiers, Popup, Ui};
use std::path::PathBuf;

/// The menus and their letters.
const MENUS: [(&str, Key); 5] =
    [("File", Key::F), ("Edit", Key::E), ("View", Key::V), ("Model", Key::M), ("Help", Key::H)];

/// Which menu was opened by a key, until its first entry has the focus.
#[derive(Clone, Copy)]
struct Opened(usize);

/// Draws the menus. Returns their right edge.
pub fn menu_bar_ui(ui: &mut Ui, facts: &Facts, view: &View, out: &mut Vec<Command>) -> f32 {
    let state = Id::unique("opened menu");
    let mut opened = pressed(ui.ctx());
    let mut popups = Vec::new();
    let mut right = ui.max_rect().left();
    MenuBar::new().ui(ui, |ui| {
        for (i, (name, _)) in MENUS.into_iter().enumerate() {
            let menu = ui.menu_button(name, |ui| {
                let waits =
                    ui.data(|data| data.get_temp::<Opened>(state)).is_some_and(|opened| opened.0 == i);
                if waits && !ui.is_sizing_pass() {
                    ui.data_mut(|data| data.remove::<Opened>(state));
                    give_focus_to_next(ui.ctx());
                }
                match i {
                    0 => file_menu(ui, facts, view, out),
                    1 => edit_menu(ui, facts, out),
                    2 => view_menu(ui, facts, view, out),
                    3 => model_menu(ui, facts, out),
                    _ => help_menu(ui, facts, out),
                }
            });
            popups.push(Popup::default_response_id(&menu.response));
            right = menu.response.rect.right();
        }
    });
    let open = popups.iter().position(|id| Popup::is_id_open(ui.ctx(), *id));
    if let Some(open) = open {
        let step = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if step(Key::ArrowRight) {
            opened = Some((open + 1) % MENUS.len());
        } else if step(Key::ArrowLeft) {
            opened = Some((open + MENUS.len() - 1) % MENUS.len());
        }
    }
    if let Some((i, id)) = opened.and_then(|i| Some((i, popups.get(i)?))) {
        Popup::open_id(ui.ctx(), *id);
        ui.data_mut(|data| data.insert_temp(state, Opened(i)));
        ui.request_repaint();
    }
    right
}

/// The menu whose key was pressed.
fn pressed(ctx: &Context) -> Option<usize> {
    ctx.input_mut(|input| {
        if input.consume_key(Modifiers::NONE, Key::F10) {
            return Some(0);
        }
        MENUS.iter().position(|(_, key)| input.consume_key(Modifiers::ALT, *key))
    })
}

/// Draws the libraries and folders opened last.
pub fn recent_ui(ui: &mut Ui, view: &View, out: &mut Vec<Command>) {
    for path in &view.kept.recent {
        let button = ui.button(escape::file_name(path)).on_hover_text(escape::path(path));
        if button.clicked() {
            out.push(Command::Open(vec![PathBuf::from(path)]));
            ui.close();
        }
    }
}

fn file_menu(ui: &mut Ui, facts: &Facts, view: &View, out: &mut Vec<Command>) {
    for command in [Command::OpenFiles, Command::OpenFolder, Command::OpenLibrary, Command::OpenServer] {
        command_entry(ui, facts, command, out);
    }
    ui.add_enabled_ui(!view.kept.recent.is_empty(), |ui| {
        ui.menu_button("Recent", |ui| recent_ui(ui, view, out));
    });
    for command in [Command::KeepCopy, Command::ForgetCopy] {
        command_entry(ui, facts, command, out);
    }
    ui.separator();
    command_entry(ui, facts, Command::EnterPassword, out);
    let mut on = view.kept.unpack_appended;
    let about = Command::UnpackAppended(on).about();
    if ui.checkbox(&mut on, about.text).on_hover_text(about.hint).changed() {
        out.push(Command::UnpackAppended(on));
    }
    ui.separator();
    for purpose in [Purpose::Neighbours, Purpose::AllNeighbours, Purpose::Samples, Purpose::Map] {
        command_entry(ui, facts, Command::Save(purpose), out);
    }
    ui.separator();
    for digits in [false, true] {
        command_entry(ui, facts, Command::Demo { digits }, out);
    }
    ui.separator();
    command_entry(ui, facts, Command::Quit, out);
}

fn edit_menu(ui: &mut Ui, facts: &Facts, out: &mut Vec<Command>) {
    let undo = facts.undo.as_ref().map(|edit| &edit.text);
    for (command, what) in [(Command::Undo, undo), (Command::Redo, facts.redo.as_ref())] {
        let text = command.about().text;
        let text = what.map_or_else(|| text.to_owned(), |what| format!("{text}: {what}"));
        command_entry_as(ui, facts, egui::Button::new(text), command, out);
    }
    command_entry(ui, facts, Command::Dialog(Dialog::History), out);
    ui.separator();
    for command in [
        Command::LabelSelected,
        Command::RenameLabel(None),
        Command::RemoveSamples(Vec::new()),
        Command::CopyHash,
        Command::ForgetSelected,
        Command::ForgetAll,
    ] {
        command_entry(ui, facts, command, out);
    }
    ui.separator();
    for command in [Command::Search, Command::Filter, Command::Dialog(Dialog::Settings)] {
        command_entry(ui, facts, command, out);
    }
}

fn view_menu(ui: &mut Ui, facts: &Facts, view: &View, out: &mut Vec<Command>) {
    for tab in [Tab::Map, Tab::Files, Tab::Training, Tab::BatchNorm] {
        command_entry(ui, facts, Command::ShowTab(tab), out);
    }
    ui.separator();
    for command in
        [Command::NextFile, Command::PreviousFile, Command::NextNeighbour, Command::PreviousNeighbour]
    {
        command_entry(ui, facts, command, out);
    }
    ui.separator();
    ui.menu_button("Map", |ui| {
        for method in [MapMethod::Umap, MapMethod::Pca] {
            command_entry(ui, facts, Command::ComputeMap(method), out);
        }
        for command in [Command::FitMap, Command::ZoomIn, Command::ZoomOut] {
            command_entry(ui, facts, command, out);
        }
        let mut on = view.kept.names;
        let about = Command::MapNames(on).about();
        if ui.checkbox(&mut on, about.text).on_hover_text(about.hint).changed() {
            out.push(Command::MapNames(on));
        }
        let mut on = view.kept.exact_places;
        let about = Command::ExactPlaces(on).about();
        if ui.checkbox(&mut on, about.text).on_hover_text(about.hint).changed() {
            out.push(Command::ExactPlaces(on));
        }
    });
    ui.menu_button("Panels", |ui| {
        for command in [
            Command::TogglePanel(Side::Left),
            Command::TogglePanel(Side::Right),
            Command::SwapPanels,
            Command::ResetPanels,
        ] {
            command_entry(ui, facts, command, out);
        }
    });
    ui.menu_button("Colours", |ui| {
        for theme in [ThemeChoice::System, ThemeChoice::Dark, ThemeChoice::Light] {
            let text = Command::Theme(theme).about().text;
            let button = egui::Button::selectable(view.kept.theme == theme, text);
            command_entry_as(ui, facts, button, Command::Theme(theme), out);
        }
    });
    command_entry(ui, facts, Command::Escape, out);
}

fn model_menu(ui: &mut Ui, facts: &Facts, out: &mut Vec<Command>) {
    command_entry(ui, facts, Command::Dialog(Dialog::Models), out);
    ui.separator();
    for command in [Command::Train, Command::Index, Command::LoadModel, Command::Save(Purpose::Model)] {
        command_entry(ui, facts, command, out);
    }
    ui.separator();
    command_entry(ui, facts, Command::ReadAgain, out);
    command_entry(ui, facts, Command::ShowTab(Tab::BatchNorm), out);
}

fn help_menu(ui: &mut Ui, facts: &Facts, out: &mut Vec<Command>) {
    for command in
        [Command::Dialog(Dialog::Keys), Command::ShowTab(Tab::BatchNorm), Command::Dialog(Dialog::About)]
    {
        command_entry(ui, facts, command, out);
    }
}
