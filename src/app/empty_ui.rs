//! The middle of the window before there is anything to show: what to do next, in three steps.

use super::command::Command;
use super::session::Session;
use super::view::{Tab, View};
use crate::escape;
use egui::{Align, Button, Frame, Layout, RichText, ScrollArea, Ui, vec2};

/// Whether the steps are shown in place of the map.
pub fn needed(session: &Session, view: &View) -> bool {
    session.contents.entries.is_empty() && view.kept.tab == Tab::Map
}

/// Draws the steps.
pub fn empty_ui(
    ui: &mut Ui,
    session: &Session,
    view: &mut View,
    busy: bool,
    no_drops: bool,
    out: &mut Vec<Command>,
) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        let width = ui.available_width().min(560.0);
        ui.add_space((ui.available_height() * 0.12).min(90.0));
        ui.vertical_centered(|ui| {
            ui.set_max_width(width);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.label(RichText::new("What does this file look like?").size(24.0).strong());
                ui.weak("Lookalike learns from samples that you have labelled, and lists those that a new file looks like most. Files are read, never run. Nothing leaves this machine.");
                ui.add_space(12.0);
                steps_ui(ui, session, view, busy, no_drops, out);
                ui.add_space(18.0);
                demo_ui(ui, busy, out);
                ui.add_space(12.0);
                ui.weak("Why does a model that learns its files well answer wrongly about the very same files?");
                if ui
                    .button("Open the batch-norm lab")
                    .on_hover_text("Measures, explains and repairs it; teaches without a model too")
                    .clicked()
                {
                    view.kept.tab = Tab::BatchNorm;
                }
            });
        });
    });
}

fn steps_ui(
    ui: &mut Ui,
    session: &Session,
    view: &mut View,
    busy: bool,
    no_drops: bool,
    out: &mut Vec<Command>,
) {
    let trainable = session.folder.as_ref().is_some_and(|folder| folder.labels >= 2);
    step_ui(ui, "1", "Open a labelled folder", !trainable, |ui| {
        match &session.folder {
            Some(folder) => ui.weak(format!(
                "{}: {} files of {} labels",
                escape::file_name(&folder.path),
                folder.set.samples.len(),
                folder.labels
            )),
            None => ui.weak("FOLDER/<label>/<files>: a folder a family, executables or images. Any depth below the label."),
        };
        if ui.add_enabled(!busy, Button::new("Choose a folder…")).on_hover_text("Ctrl+Shift+O").clicked() {
            out.push(Command::PickFolder);
        }
    });
    step_ui(ui, "2", "Train a model on it", trainable, |ui| {
        ui.weak("Half a minute for a few hundred files, on the processor.");
        ui.horizontal(|ui| {
            let train = ui.add_enabled(trainable && !busy, Button::new("Train"));
            if train.on_disabled_hover_text("Open a labelled folder with at least two labels first").clicked()
            {
                out.push(Command::Train);
            }
            if ui
                .add_enabled(trainable, Button::new("Settings…"))
                .on_hover_text("Epochs, batch normalisation, seed")
                .clicked()
            {
                view.kept.tab = Tab::Training;
            }
        });
    });
    step_ui(ui, "3", "Drop a suspicious file anywhere in this window", false, |ui| {
        ui.weak(if no_drops {
            "On this Wayland desktop files cannot be dropped. Use \"Open files…\", paste a path (Ctrl+V), type it above, or name the file when you start the program."
        } else {
            "Or paste its path (Ctrl+V), or use \"Open files…\". A folder of files works too."
        });
    });
}

fn step_ui(ui: &mut Ui, number: &str, title: &str, next: bool, content: impl FnOnce(&mut Ui)) {
    let visuals = ui.visuals();
    let stroke = if next { visuals.selection.stroke } else { visuals.widgets.noninteractive.bg_stroke };
    Frame::group(ui.style()).stroke(stroke).inner_margin(10).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            ui.allocate_ui(vec2(22.0, 22.0), |ui| ui.label(RichText::new(number).size(18.0).strong()));
            ui.vertical(|ui| {
                ui.label(RichText::new(title).size(15.0).strong());
                content(ui);
            });
        });
    });
}

fn demo_ui(ui: &mut Ui, busy: bool, out: &mut Vec<Command>) {
    ui.strong("No samples at hand?");
    ui.weak("Bundled ones are trained on in under a minute; files that were held back are then looked up.");
    ui.horizontal_wrapped(|ui| {
        let mut demo = |ui: &mut Ui, text: &str, hint: &str, digits| {
            if ui.add_enabled(!busy, Button::new(text)).on_hover_text(hint).clicked() {
                out.push(Command::Demo { digits });
            }
        };
        demo(ui, "Try real executables", "102 Windows modules of 13 packages, from PyPI", false);
        demo(ui, "Try handwritten digits", "Images of the UCI digits, 8×8 pixels", true);
    });
}
