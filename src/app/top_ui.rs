//! The bar at the top: the menus, in which every command stands, the search, the library, and the switches of the side
//! panels.

use super::command::Command;
use super::command_ui::{command_entry, command_entry_as, hint_text};
use super::dialog::Dialog;
use super::facts::Facts;
use super::paint::{self, Ink};
use super::question::Purpose;
use super::session::Session;
use super::theme::{Tokens, icon};
use super::view::{Side, Tab, ThemeChoice, View};
use crate::escape;
use crate::workflow::MapMethod;
use egui::{
    Align, Align2, Layout, MenuBar, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use std::path::PathBuf;

/// A window narrower than this has a rail instead of the panel of files and labels.
pub const NARROW: f32 = 1160.0;

/// Draws the bar.
pub fn top_ui(ui: &mut Ui, facts: &Facts, session: &Session, view: &View, out: &mut Vec<Command>) {
    ui.horizontal_centered(|ui| {
        let bar = ui.max_rect();
        let mut menus = bar.left();
        MenuBar::new().ui(ui, |ui| {
            ui.menu_button("File", |ui| file_menu(ui, facts, view, out));
            ui.menu_button("Edit", |ui| edit_menu(ui, facts, out));
            ui.menu_button("View", |ui| view_menu(ui, facts, view, out));
            ui.menu_button("Model", |ui| model_menu(ui, facts, out));
            menus = ui.menu_button("Help", |ui| help_menu(ui, facts, out)).response.rect.right();
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            for side in [Side::Right, Side::Left] {
                let about = Command::TogglePanel(side).about();
                let button = panel_button(ui, side, view, about.text);
                if button.on_hover_text(hint_text(ui, about.hint, about.key)).clicked() {
                    out.push(Command::TogglePanel(side));
                }
            }
            let right = library_ui(ui, facts, session, view, out);
            let free = Rect::from_min_max(pos2(menus, bar.top()), pos2(right, bar.bottom()));
            search_ui(ui, free.shrink2(vec2(12.0, 0.0)), out);
        });
    });
}

/// Draws the button that opens the search, in the shape of a field.
fn search_ui(ui: &Ui, free: Rect, out: &mut Vec<Command>) {
    let tokens = Tokens::of(ui.visuals());
    let width = free.width().min(400.0);
    if width < 60.0 {
        return;
    }
    // In the middle of the window, if there is room.
    let half = width / 2.0;
    let middle = ui
        .ctx()
        .content_rect()
        .center()
        .x
        .clamp(free.left() + half, (free.right() - half).max(free.left() + half));
    let rect = Rect::from_center_size(pos2(middle, free.center().y), vec2(width, 28.0));
    let response = ui.interact(rect, ui.scope_id().with("search"), Sense::click());
    let painter = ui.painter();
    let edge = if response.hovered() { tokens.accent } else { tokens.border };
    painter.rect(rect, 5.0, tokens.sunken, Stroke::new(1.0, edge), StrokeKind::Inside);
    let about = Command::Search.about();
    let key = about.key.map(|key| ui.ctx().format_shortcut(&key.keys)).unwrap_or_default();
    let inner = rect.shrink2(vec2(9.0, 0.0));
    let shown = paint::text(ui, inner, Align2::RIGHT_CENTER, &key, &Ink::small(tokens.text2));
    let room = Rect::from_min_max(inner.min, pos2(shown.left() - 8.0, inner.bottom()));
    let text = format!("{}  Search names, labels, hashes, commands", icon::MAGNIFYING_GLASS);
    paint::text(ui, room, Align2::LEFT_CENTER, &text, &Ink::body(tokens.text3));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, about.text));
    if response.on_hover_text(hint_text(ui, about.hint, about.key)).clicked() {
        out.push(Command::Search);
    }
}

/// Draws the switch of a side panel: a window with the panel in it, filled while it is shown.
fn panel_button(ui: &mut Ui, side: Side, view: &View, name: &str) -> egui::Response {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(26.0, 26.0), Sense::click());
    let panels = view.kept.panels;
    let narrow = ui.ctx().content_rect().width() < NARROW;
    let (shown, at_right) = match side {
        Side::Left if narrow => (view.over_map, panels.swapped),
        Side::Left => (panels.left, panels.swapped),
        Side::Right => (panels.right, !panels.swapped),
    };
    if response.hovered() {
        ui.painter().rect_filled(rect, 5.0, tokens.hover);
    }
    let outline = Rect::from_center_size(rect.center(), vec2(16.0, 13.0));
    let stroke = Stroke::new(1.2, tokens.text2);
    ui.painter().rect_stroke(outline, 2.0, stroke, StrokeKind::Inside);
    let mut part = outline.shrink(2.5);
    if at_right {
        part.min.x = outline.right() - 6.0;
    } else {
        part.max.x = outline.left() + 6.0;
    }
    if shown {
        ui.painter().rect_filled(part, 0.5, tokens.text2);
    }
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, shown, name));
    response
}

/// Draws the name of the library, with the menu of libraries. Returns its left edge.
fn library_ui(ui: &mut Ui, facts: &Facts, session: &Session, view: &View, out: &mut Vec<Command>) -> f32 {
    let name = escape::file_name(&session.library_path);
    let shown: String =
        if name.chars().count() > 24 { name.chars().take(23).chain(['…']).collect() } else { name.clone() };
    let title = if session.contents.is_empty() && session.library.is_none() {
        "No library yet".to_owned()
    } else {
        shown
    };
    let menu = ui.menu_button(format!("{} {title} {}", icon::DATABASE, icon::CARET_DOWN), |ui| {
        command_entry(ui, facts, Command::OpenLibrary, out);
        recent_ui(ui, view, out);
        ui.separator();
        command_entry(ui, facts, Command::Dialog(Dialog::Models), out);
        command_entry(ui, facts, Command::Dialog(Dialog::History), out);
        command_entry(ui, facts, Command::ReadAgain, out);
        ui.separator();
        for purpose in [Purpose::Samples, Purpose::Map, Purpose::Model] {
            command_entry(ui, facts, Command::Save(purpose), out);
        }
    });
    menu.response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Library: {name}")));
    let left = menu.response.rect.left();
    menu.response.on_hover_text(format!(
        "{}\nThe library: samples, labels, embeddings and the models, in one file on this machine",
        escape::path(&session.library_path)
    ));
    left
}

/// Draws the libraries and folders opened last.
fn recent_ui(ui: &mut Ui, view: &View, out: &mut Vec<Command>) {
    for path in &view.kept.recent {
        let button = ui.button(escape::file_name(path)).on_hover_text(escape::path(path));
        if button.clicked() {
            out.push(Command::Open(vec![PathBuf::from(path)]));
            ui.close();
        }
    }
}

fn file_menu(ui: &mut Ui, facts: &Facts, view: &View, out: &mut Vec<Command>) {
    for command in [Command::OpenFiles, Command::OpenFolder, Command::OpenLibrary] {
        command_entry(ui, facts, command, out);
    }
    ui.add_enabled_ui(!view.kept.recent.is_empty(), |ui| {
        ui.menu_button("Recent", |ui| recent_ui(ui, view, out));
    });
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
    for (command, what) in [(Command::Undo, &facts.undo), (Command::Redo, &facts.redo)] {
        let text = command.about().text;
        let text = what.as_ref().map_or_else(|| text.to_owned(), |what| format!("{text}: {what}"));
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
