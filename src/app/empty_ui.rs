//! The middle of the window while the library is empty: what to do next, in three steps.

use super::command::Command;
use super::command_ui::{PASTE, command_button, command_button_as};
use super::facts::Facts;
use super::session::Session;
use super::view::{Tab, View};
use crate::escape;
use egui::{Align, Button, Frame, Layout, RichText, ScrollArea, Ui, vec2};

/// Whether the steps are shown instead of the map.
pub fn is_needed(session: &Session, view: &View) -> bool {
    session.contents.is_empty() && view.kept.tab == Tab::Map
}

/// Draws the three steps, the demo and the way to the batch-norm lab.
pub fn empty_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
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
                ui.weak("Lookalike compares a new file with the samples you have, and lists those most similar to it. Files are read, never run. Nothing leaves this machine.");
                ui.add_space(12.0);
                steps_ui(ui, facts, session, view, no_drops, out);
                ui.add_space(18.0);
                demo_ui(ui, facts, out);
                ui.add_space(12.0);
                ui.weak("Why does a model that has learned its files well misclassify the very same files?");
                if ui
                    .button("Open the batch-norm lab")
                    .on_hover_text("Measures, explains and repairs this; works without a model too")
                    .clicked()
                {
                    view.kept.tab = Tab::BatchNorm;
                }
            });
        });
    });
}

/// Draws the steps.
fn steps_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    no_drops: bool,
    out: &mut Vec<Command>,
) {
    let trainable = facts.folder_labels.is_some_and(|labels| labels >= 2);
    step_ui(ui, "1", "Open a folder of samples", !trainable, |ui| {
        match &session.folder {
            Some(folder) => ui.weak(format!(
                "{}: {} files of {} labels",
                escape::file_name(&folder.path),
                folder.set.samples.len(),
                folder.labels
            )),
            None => ui.weak("Executables are compared at once, without any training. In FOLDER/<label>/<files>, one folder for each family, at any depth below the label, the answers have names."),
        };
        command_button_as(ui, facts, Button::new("Choose a folder…"), Command::OpenFolder, out);
    });
    step_ui(ui, "2", "Drop a suspicious file anywhere in this window", false, |ui| {
        let (open, paste) = (Command::OpenFiles.about().text, ui.ctx().format_shortcut(&PASTE));
        ui.weak(if no_drops {
            format!("This Wayland desktop does not deliver dropped files. Use \"{open}\", paste a path ({paste}), type it above, or give the file on the command line.")
        } else {
            format!("Or paste its path ({paste}), or use \"{open}\". A folder of files works too.")
        });
    });
    step_ui(ui, "3", "Train a model on your labels", trainable, |ui| {
        ui.weak("It helps where text is missing, and images need it. Takes half a minute for a few hundred files on the CPU.");
        ui.horizontal(|ui| {
            command_button(ui, facts, Command::Train, out);
            if ui
                .add_enabled(trainable, Button::new("Settings…"))
                .on_hover_text("Epochs, batch normalisation, seed")
                .clicked()
            {
                view.kept.tab = Tab::Training;
            }
        });
    });
}

/// Draws one step in a frame, highlighted if it is the next.
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

/// Draws the buttons that open bundled samples.
fn demo_ui(ui: &mut Ui, facts: &Facts, out: &mut Vec<Command>) {
    ui.strong("No samples at hand?");
    ui.weak("Compares bundled executables at once, or trains on digits in under a minute, and queries some that were held out.");
    ui.horizontal_wrapped(|ui| {
        command_button(ui, facts, Command::Demo { digits: false }, out);
        command_button(ui, facts, Command::Demo { digits: true }, out);
    });
}
