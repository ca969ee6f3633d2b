//! The side panels: files and labels at one side, the answer at the other. They can be closed, made wider, and dragged to the
//! other side by their upper edge.

use super::command::Command;
use super::facts::Facts;
use super::file::file_ui::file_ui;
use super::regions::Region;
use super::theme::Tokens;
use super::view::Tab;
use super::window::App;
use super::{rail_ui, samples_ui};
use egui::{CursorIcon, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

/// The least and the usual width of the file panel.
const FILE: [f32; 2] = [340.0, 400.0];
/// The least and the usual width of the panel of files and labels.
const SAMPLES: [f32; 2] = [180.0, 226.0];
/// The least width of the map beside the panels, and that of the table and the training.
const MAP: f32 = 320.0;
const PAGE: f32 = 470.0;

/// Height of the edge by which a panel is dragged.
const GRIP: f32 = 7.0;

impl App {
    /// Draws the side panels.
    pub(super) fn panels_ui(&mut self, ui: &mut Ui, facts: &Facts, out: &mut Vec<Command>) {
        let Self { session, view, textures, narrow, reset_widths, regions, .. } = self;
        let panels = view.kept.panels;
        let least = if view.kept.tab == Tab::Map { MAP } else { PAGE };
        let reset = std::mem::take(reset_widths);
        let side = |id: &'static str, right: bool, [least, usual]: [f32; 2], most: f32| {
            let panel = if right { egui::Panel::right(id) } else { egui::Panel::left(id) };
            let panel = panel.default_size(usual).min_size(least).max_size(most.max(least)).resizable(true);
            if reset { panel.exact_size(usual) } else { panel }
        };
        if *narrow {
            let rail = if panels.swapped { egui::Panel::right("rail") } else { egui::Panel::left("rail") };
            let frame = egui::Frame::side_top_panel(ui.style()).inner_margin(egui::Margin::ZERO);
            rail.exact_size(rail_ui::RAIL).resizable(false).frame(frame).show(ui, |ui| {
                regions.mark(ui, Region::Left);
                rail_ui::rail_ui(ui, session, out);
            });
        } else if panels.left {
            let most = ui.available_width() - least - FILE[0];
            side("samples", panels.swapped, SAMPLES, most).show(ui, |ui| {
                regions.mark(ui, Region::Left);
                grip_ui(ui, "the panel of files and labels", panels.swapped, out);
                samples_ui::samples_ui(ui, session, view, out);
            });
        }
        if panels.right {
            let most = ui.available_width() - least;
            side("file", !panels.swapped, FILE, most).show(ui, |ui| {
                regions.mark(ui, Region::Right);
                grip_ui(ui, "the answer", !panels.swapped, out);
                file_ui(ui, facts, session, view, textures, out);
            });
        }
    }

    /// Draws the panel of files and labels over the map, if a small window has it open.
    pub(super) fn over_map_ui(&mut self, ui: &Ui, out: &mut Vec<Command>) {
        if !self.narrow {
            self.view.over_map = false;
        }
        if !self.view.over_map {
            return;
        }
        let window = ui.ctx().content_rect();
        let (near, far) = (rail_ui::RAIL + 4.0, rail_ui::RAIL + 270.0);
        let [left, right] = if self.view.kept.panels.swapped {
            [window.right() - far, window.right() - near]
        } else {
            [near, far]
        };
        let rect = Rect::from_min_max(pos2(left, 44.0), pos2(right, window.bottom() - 32.0));
        let frame = egui::Frame::popup(ui.style()).inner_margin(10);
        let shown = egui::Window::new("Files and labels")
            .title_bar(false)
            .fixed_rect(rect.shrink(10.0))
            .frame(frame)
            .show(ui.ctx(), |ui| {
                ui.set_min_height(ui.available_height());
                samples_ui::samples_ui(ui, &self.session, &mut self.view, out);
            });
        let outside = shown.is_some_and(|shown| shown.response.clicked_elsewhere());
        // The rail's own button closes it too.
        let rail =
            if self.view.kept.panels.swapped { window.right() - near..=window.right() } else { 0.0..=near };
        let at = ui.input(|input| input.pointer.interact_pos());
        if outside && at.is_some_and(|at| !rail.contains(&at.x) && at.y > 40.0) {
            self.view.over_map = false;
        }
    }
}

/// Draws the edge by which a panel is dragged to the other side. `at_right`: where it is.
fn grip_ui(ui: &mut Ui, name: &str, at_right: bool, out: &mut Vec<Command>) {
    let panel = ui.max_rect();
    let edge = Rect::from_min_size(panel.min - vec2(0.0, GRIP), vec2(panel.width(), GRIP));
    let response = ui.interact(edge, ui.scope_id().with("grip"), Sense::DRAG);
    response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, format!("Move {name}")));
    let response = response
        .on_hover_cursor(CursorIcon::Grab)
        .on_hover_text("Drag it to the other side; Panels in the View menu does the same");
    let tokens = Tokens::of(ui.visuals());
    if response.hovered() || response.dragged() {
        let handle = Rect::from_center_size(edge.center(), vec2(28.0, 3.0));
        ui.painter().rect_filled(handle, 1.5, tokens.text3);
    }
    let window = ui.ctx().content_rect();
    let Some(at) = response.interact_pointer_pos() else { return };
    let other_side = (at.x > window.center().x) != at_right;
    if response.dragged() && other_side {
        let half = if at_right {
            Rect::from_min_max(window.min, pos2(window.left() + panel.width(), window.bottom()))
        } else {
            Rect::from_min_max(pos2(window.right() - panel.width(), window.top()), window.max)
        };
        let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Tooltip, response.id));
        painter.rect_filled(half, 0.0, tokens.accent.gamma_multiply(0.18));
    }
    if response.drag_stopped() && other_side {
        out.push(Command::SwapPanels);
    }
}
