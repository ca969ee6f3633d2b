//! Part 2: both modes side by side, the same files with the same weights.

use super::legend::{Mark, mark_ui};
use super::parts::{card_ui, note_ui, number, percent};
use super::scene::Scene;
use crate::app::theme::{Tokens, heading, small, title};
use crate::batchnorm::{ModeSummary, Report, thousands};
use crate::model::Norm;
use egui::{Color32, Grid, Layout, Rect, Role, Sense, Ui, WidgetInfo, vec2};

/// Draws a card for each mode and what was measured.
pub fn modes_ui(ui: &mut Ui, scene: &Scene<'_>, report: &Report) {
    let tokens = Tokens::of(ui.visuals());
    let [train, eval] = report.summaries();
    ui.columns(2, |columns| {
        let [left, right] = columns else { return };
        mode_ui(left, "Train mode", Mark::Solid, tokens.train_mode, &train);
        mode_ui(right, "Eval mode", Mark::Dashed, tokens.eval_mode, &eval);
    });
    ui.add_space(4.0);
    let with = scene.lab.model.as_ref().is_some_and(|model| model.config.norm == Norm::Batch);
    if with {
        note_ui(
            ui,
            "Looking a file up uses eval mode. That recall@1 stays high does not help: all files of one mode are distorted alike.",
        );
    }
    notes_ui(ui, scene, report);
}

/// Draws the card of one mode.
fn mode_ui(ui: &mut Ui, name: &str, mark: Mark, colour: Color32, numbers: &ModeSummary) {
    card_ui(ui, None, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.horizontal(|ui| {
            mark_ui(ui, mark, colour);
            ui.label(heading(name));
        });
        ui.label(title(percent(numbers.accuracy)));
        ui.label(small("of the files classified correctly"));
        share_ui(ui, numbers.accuracy as f32, colour, name);
        ui.spacing_mut().interact_size.y = 18.0;
        Grid::new(("lab-mode", name)).num_columns(2).spacing([8.0, 3.0]).show(ui, |ui| {
            let rows = [
                ("misclassified", format!("{} of {}", thousands(numbers.misclassified), thousands(numbers.files)), ""),
                ("loss", number(numbers.loss), ""),
                ("recall@1", percent(numbers.recall_at_1), "Share of the files whose nearest other file has the same label. Within one mode all embeddings are distorted alike, so this can be high even where embeddings of the two modes cannot be compared"),
            ];
            for (what, value, hint) in rows {
                let label = ui.weak(what);
                if !hint.is_empty() {
                    label.on_hover_text(hint);
                }
                ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| ui.label(value));
                ui.end_row();
            }
        });
    });
}

/// Draws a share of 1 as a bar.
fn share_ui(ui: &mut Ui, share: f32, colour: Color32, name: &str) {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    ui.painter().rect_filled(rect, 2.0, tokens.pressed);
    let filled = Rect::from_min_size(rect.min, vec2(rect.width() * share.clamp(0.0, 1.0), rect.height()));
    ui.painter().rect_filled(filled, 2.0, colour);
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Image, true, format!("{name}: {}", percent(f64::from(share))))
    });
}

/// Draws how many files were measured, which were skipped, and what the training itself measured.
fn notes_ui(ui: &mut Ui, scene: &Scene<'_>, report: &Report) {
    let known = &report.known;
    if known.of > known.files.len() {
        let (some, all) = (thousands(known.files.len()), thousands(known.of));
        note_ui(ui, &format!("Measured on {some} of {all} files, drawn at random."));
    }
    if !known.unknown.is_empty() {
        let files: usize = known.unknown.iter().map(|(_, n)| n).sum();
        let names: Vec<String> =
            known.unknown.iter().take(4).map(|(label, _)| crate::escape::text(label)).collect();
        let more = if known.unknown.len() > 4 { ", …" } else { "" };
        note_ui(
            ui,
            &format!(
                "Skipped: {files} files of labels that the model does not know ({}{more}).",
                names.join(", ")
            ),
        );
    }
    let Some(model) = scene.lab.model.as_ref().filter(|model| model.config.repairs.is_empty()) else {
        return;
    };
    let training = &model.config.training;
    let [train, eval] = report.summaries();
    let differ = |a: f64, b: f64| percent(a) != percent(b);
    let (in_train, in_eval) = (training.result.train_mode_accuracy, training.result.eval_mode_accuracy);
    if training.files > 0 && (differ(in_train, train.accuracy) || differ(in_eval, eval.accuracy)) {
        note_ui(
            ui,
            &format!(
                "The training measured {}: train mode {}, eval mode {}. Here it is all {} files of the folder.",
                training.compared_text(),
                percent(in_train),
                percent(in_eval),
                thousands(train.files)
            ),
        );
    }
}
