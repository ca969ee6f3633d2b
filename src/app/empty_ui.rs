//! The middle of the window while the library is empty: where to drop files, and the ways to begin.

use super::about::PASTE;
use super::command::Command;
use super::command_ui::{command_button, command_button_as};
use super::controls::primary_button;
use super::facts::Facts;
use super::session::Session;
use super::theme::{Tokens, heading, icon, small, title};
use super::view::{Tab, View};
use crate::escape;
use egui::{Align, Button, Frame, Layout, Margin, RichText, ScrollArea, Stroke, Ui, vec2};

/// Width of the page, at most.
const PAGE: f32 = 820.0;

/// Whether this page is shown instead of the map.
pub fn is_needed(session: &Session, view: &View) -> bool {
    session.contents.is_empty() && view.kept.tab == Tab::Map
}

/// Draws where to drop files, the ways to begin, and the three steps.
pub fn empty_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    no_drops: bool,
    out: &mut Vec<Command>,
) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        let width = (ui.available_width() - 24.0).min(PAGE);
        ui.add_space((ui.available_height() * 0.08).min(70.0));
        ui.vertical_centered(|ui| {
            ui.set_max_width(width);
            drop_ui(ui, facts, no_drops, out);
            ui.add_space(14.0);
            if session.folder.is_some() {
                folder_ui(ui, facts, session, view, out);
                ui.add_space(14.0);
            }
            cards_ui(ui, facts, view, out);
            ui.add_space(12.0);
            steps_ui(ui);
        });
    });
}

/// Draws the frame that files are dropped on.
fn drop_ui(ui: &mut Ui, facts: &Facts, no_drops: bool, out: &mut Vec<Command>) {
    let tokens = Tokens::of(ui.visuals());
    let frame = Frame::new().fill(tokens.sunken).corner_radius(10).inner_margin(Margin::symmetric(24, 26));
    let rect = frame
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.vertical_centered(|ui| {
                ui.label(RichText::new(icon::TRAY_ARROW_DOWN).size(34.0).color(tokens.accent));
                ui.label(title("What does this file look like?"));
                let paste = ui.ctx().format_shortcut(&PASTE);
                ui.weak(if no_drops {
                    format!("This Wayland desktop does not deliver dropped files. Choose them, paste a path ({paste}), or give them on the command line.")
                } else {
                    "Drop an executable, an archive or a whole folder anywhere in this window.".to_owned()
                });
                ui.weak("The model that comes with Lookalike compares executables at once; nothing has to be trained or labelled first.");
                ui.add_space(8.0);
                ui.horizontal(|ui| {
                    let buttons = 250.0;
                    ui.add_space(((ui.available_width() - buttons) / 2.0).max(0.0));
                    if primary_button(ui, true, "Choose files…").on_hover_text(Command::OpenFiles.about().hint).clicked() {
                        out.push(Command::OpenFiles);
                    }
                    let button = Button::new("Choose a folder…").min_size(vec2(0.0, 28.0));
                    command_button_as(ui, facts, button, Command::OpenFolder, out);
                });
                ui.label(small(format!("or paste a path with {paste}")));
            });
        })
        .response
        .rect;
    dashed(ui, rect.shrink(1.0), Stroke::new(2.0, tokens.link));
}

/// Draws a dashed line along the edges of a rectangle.
fn dashed(ui: &Ui, rect: egui::Rect, stroke: Stroke) {
    let corner = 9.0;
    let ends = [
        [rect.left_top() + vec2(corner, 0.0), rect.right_top() - vec2(corner, 0.0)],
        [rect.right_top() + vec2(0.0, corner), rect.right_bottom() - vec2(0.0, corner)],
        [rect.right_bottom() - vec2(corner, 0.0), rect.left_bottom() + vec2(corner, 0.0)],
        [rect.left_bottom() - vec2(0.0, corner), rect.left_top() + vec2(0.0, corner)],
    ];
    for ends in ends {
        ui.painter().add(egui::Shape::dashed_line(&ends, stroke, 7.0, 6.0));
    }
}

/// Draws the folder that was opened but is not in the library: files that only a training can compare.
fn folder_ui(ui: &mut Ui, facts: &Facts, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    let Some(folder) = &session.folder else { return };
    let trainable = facts.folder_labels.is_some_and(|labels| labels >= 2);
    card_ui(ui, |ui| {
        ui.label(heading(format!("{} is open", escape::file_name(&folder.path))));
        let (files, labels) = (folder.set.samples.len(), folder.labels);
        ui.weak(format!("{files} files of {labels} labels. Train a model on the labels to compare them."));
        ui.horizontal(|ui| {
            let text = Command::Train.about().text;
            let obstacle = Command::Train.obstacle(facts);
            let button = primary_button(ui, obstacle.is_none(), text);
            let button = match obstacle {
                Some(why) => button.on_disabled_hover_text(why),
                None => button.on_hover_text(Command::Train.about().hint),
            };
            if button.clicked() {
                out.push(Command::Train);
            }
            let settings = ui.add_enabled(trainable, Button::new("Settings…"));
            if settings.on_hover_text("Epochs, batch normalisation, seed").clicked() {
                view.kept.tab = Tab::Training;
            }
        });
    });
}

fn card_ui(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    let tokens = Tokens::of(ui.visuals());
    Frame::new()
        .fill(tokens.raised)
        .stroke(Stroke::new(1.0, tokens.divider))
        .corner_radius(6)
        .inner_margin(16)
        .show(ui, |ui| {
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.set_width(ui.available_width());
                content(ui);
            });
        });
}

/// Draws the other ways to begin, side by side.
fn cards_ui(ui: &mut Ui, facts: &Facts, view: &mut View, out: &mut Vec<Command>) {
    ui.columns(3, |columns| {
        let [folder, demo, lab] = columns else { return };
        way_ui(folder, icon::FOLDER_OPEN, "Open a labelled folder", "One folder for each family: FOLDER/<label>/<files>. Verdicts then carry your labels.", |ui| {
            command_button_as(ui, facts, Button::new("Choose…"), Command::OpenFolder, out);
        });
        way_ui(demo, icon::PLAY, "Try bundled samples", "102 Windows modules of 13 families, and files to ask about. Or handwritten digits.", |ui| {
            command_button(ui, facts, Command::Demo { digits: false }, out);
            command_button(ui, facts, Command::Demo { digits: true }, out);
        });
        way_ui(lab, icon::FLASK, "Batch-norm lab", "Why a network is right in train mode and wrong in eval mode on the very same files, and how to repair it.", |ui| {
            let open = ui.button("Open the batch-norm lab");
            if open.on_hover_text("Measures, explains and repairs this; works without a model too").clicked() {
                view.kept.tab = Tab::BatchNorm;
            }
        });
    });
}

/// Draws one way to begin.
fn way_ui(ui: &mut Ui, glyph: &str, name: &str, text: &str, buttons: impl FnOnce(&mut Ui)) {
    let tokens = Tokens::of(ui.visuals());
    card_ui(ui, |ui| {
        ui.set_min_height(142.0);
        ui.horizontal(|ui| {
            ui.label(RichText::new(glyph).size(16.0).color(tokens.accent));
            ui.label(heading(name));
        });
        ui.add(egui::Label::new(RichText::new(text).weak()).wrap());
        ui.add_space(4.0);
        ui.horizontal_wrapped(buttons);
    });
}

/// Draws the three steps.
fn steps_ui(ui: &mut Ui) {
    ui.columns(3, |columns| {
        let steps = [
            ("1  Drop", "Neighbours and a map, within seconds, of whatever you drop."),
            ("2  Label", "Name one group; the next file of it comes with a verdict."),
            (
                "3  Train, if you like",
                "The network learns your families. It helps where text is missing; images need it.",
            ),
        ];
        for (ui, (name, text)) in columns.iter_mut().zip(steps) {
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.label(heading(name));
                ui.add(egui::Label::new(RichText::new(text).weak()).wrap());
            });
        }
    });
}
