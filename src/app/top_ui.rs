//! The bar at the top: the menus, the search, the library, and the switches of the side panels.

use super::command::Command;
use super::command_ui::{command_entry, hint_text};
use super::dialog::Dialog;
use super::facts::Facts;
use super::menu_bar::{menu_bar_ui, recent_ui};
use super::paint::{self, Ink};
use super::question::Purpose;
use super::session::Session;
use super::theme::{Tokens, icon};
use super::view::{Side, View};
use crate::escape;
use egui::{
    Align, Align2, Context, Layout, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

/// A window narrower than this has a rail instead of the panel of files and labels.
const NARROW: f32 = 1160.0;

/// Whether the window has a rail instead of the panel of files and labels.
pub fn is_narrow(ctx: &Context) -> bool {
    ctx.content_rect().width() < NARROW
}

/// Draws the bar.
pub fn top_ui(ui: &mut Ui, facts: &Facts, session: &Session, view: &View, out: &mut Vec<Command>) {
    ui.horizontal_centered(|ui| {
        let bar = ui.max_rect();
        let menus = menu_bar_ui(ui, facts, view, out);
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
    let narrow = is_narrow(ui.ctx());
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
        command_entry(ui, facts, Command::OpenServer, out);
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
