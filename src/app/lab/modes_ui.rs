//! Part 1: the verdict, both modes side by side, and an arrow for each file from its place in train mode to
//! its place in eval mode.

use super::parts::{name_plot, number, percent, still_plot};
use super::scene::Scene;
use crate::app::message::Tone;
use crate::app::symbol::Symbol;
use crate::app::theme::{Tokens, tone_mark};
use crate::batchnorm::{ModeSummary, Report, Severity};
use crate::model::Norm;
use egui::{Color32, Grid, RichText, Ui};
use egui_plot::{Arrows, PlotPoints, Points};
use std::collections::BTreeMap;

/// Arrows drawn, at most: more would cover each other.
const ARROWS: usize = 640;

/// Draws the verdict, the table of both modes and the arrows.
pub fn modes_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let Some(report) = scene.lab.report() else {
        ui.weak(if scene.facts.lab.measuring {
            "Measuring; the progress is shown below."
        } else if scene.lab.model.is_none() {
            "Needs a model: open a labelled folder and train one."
        } else if scene.session.folder.is_none() {
            "Needs files: open the labelled folder that the model was trained on."
        } else {
            "Not measured yet."
        });
        return;
    };
    verdict_ui(ui, report);
    table_ui(
        ui,
        "lab-modes",
        &[
            ("Train mode", Tokens::of(ui.visuals()).train_mode),
            ("Eval mode", Tokens::of(ui.visuals()).eval_mode),
        ],
        &report.summaries(),
    );
    notes_ui(ui, report);
    let with = scene.lab.model.as_ref().is_some_and(|model| model.config.norm == Norm::Batch);
    if with {
        arrows_ui(ui, scene, report);
    }
}

/// Draws the verdict. Its mark and its colour show the severity.
pub fn verdict_ui(ui: &mut Ui, report: &Report) {
    let (mark, colour) = tone_mark(
        ui.visuals(),
        match report.verdict.severity {
            Severity::Sound => Tone::Good,
            Severity::Watch => Tone::Note,
            Severity::Repair | Severity::Useless => Tone::Bad,
        },
    );
    ui.label(RichText::new(format!("{mark} {}", report.verdict.sentence)).color(colour).size(15.0));
    ui.add_space(4.0);
}

/// Draws a table with a row for each mode.
pub fn table_ui(ui: &mut Ui, id: &str, names: &[(&str, Color32)], rows: &[ModeSummary]) {
    Grid::new(id).num_columns(5).spacing([22.0, 6.0]).striped(true).show(ui, |ui| {
        for head in ["", "classified correctly", "misclassified", "loss", "recall@1"] {
            ui.weak(head);
        }
        ui.end_row();
        for ((name, colour), numbers) in names.iter().zip(rows) {
            ui.label(RichText::new(*name).color(*colour).strong());
            numbers_ui(ui, numbers);
            ui.end_row();
        }
    });
}

/// Draws the numbers of one mode as cells of a row.
fn numbers_ui(ui: &mut Ui, numbers: &ModeSummary) {
    ui.label(RichText::new(percent(numbers.accuracy)).strong());
    ui.label(format!("{} of {}", numbers.misclassified, numbers.files));
    ui.label(number(numbers.loss));
    ui.label(percent(numbers.recall_at_1)).on_hover_text(
        "Share of the files whose nearest other file has the same label. Within one mode all embeddings are distorted alike, so this can be high even where embeddings of the two modes cannot be compared",
    );
}

/// Draws how many files were measured and which were skipped.
fn notes_ui(ui: &mut Ui, report: &Report) {
    let known = &report.known;
    if known.of > known.files.len() {
        ui.weak(format!("Measured on {} of {} files, drawn at random.", known.files.len(), known.of));
    }
    if !known.unknown.is_empty() {
        let files: usize = known.unknown.iter().map(|(_, n)| n).sum();
        let names: Vec<String> =
            known.unknown.iter().take(4).map(|(label, _)| crate::escape::text(label)).collect();
        let more = if known.unknown.len() > 4 { ", …" } else { "" };
        ui.weak(format!(
            "Skipped: {files} files of labels that the model does not know ({}{more}).",
            names.join(", ")
        ));
    }
}

/// Draws the arrows.
fn arrows_ui(ui: &mut Ui, scene: &Scene<'_>, report: &Report) {
    let Some(measured) = &scene.lab.measured else { return };
    let [train, eval] = &measured.places;
    ui.add_space(6.0);
    if eval.is_empty() {
        ui.weak("In eval mode the embeddings are not numbers, so they have no places.");
        return;
    }
    let (symbols, dark) = (class_symbols(scene), ui.visuals().dark_mode);
    let mut ends = BTreeMap::<usize, [Vec<[f64; 2]>; 2]>::new();
    for ((from, to), (_, class)) in train.iter().zip(eval).zip(&report.known.files).take(ARROWS) {
        let [origins, tips] = ends.entry(*class).or_default();
        origins.push(from.map(f64::from));
        tips.push(to.map(f64::from));
    }
    ui.strong("Each file from train mode to eval mode");
    ui.weak(format!(
        "Dots are train mode, tips are eval mode, colours are labels ({} of {} files, projected on the two directions in which the embeddings of both modes differ most).",
        train.len().min(ARROWS),
        train.len()
    ));
    let shown =
        still_plot("lab-arrows", 330.0).data_aspect(1.0).show_axes(false).show_grid(false).show(ui, |plot| {
            for (class, [origins, tips]) in ends {
                let symbol = symbols.get(class).copied().unwrap_or(Symbol::NONE);
                let name = format!("label {class}");
                plot.arrows(
                    Arrows::new(
                        format!("{name} moves"),
                        PlotPoints::from(origins.clone()),
                        PlotPoints::from(tips),
                    )
                    .color(symbol.colour(dark).gamma_multiply(0.55))
                    .tip_length(5.0)
                    .allow_hover(false),
                );
                plot.points(
                    Points::new(name, PlotPoints::from(origins))
                        .shape(symbol.shape())
                        .color(symbol.colour(dark))
                        .radius(3.0)
                        .allow_hover(false),
                );
            }
        });
    name_plot(
        &shown.response,
        &format!("Arrows of {} files from train mode to eval mode", train.len().min(ARROWS)),
    );
}

/// The symbols of the model's labels, as in the list of labels.
pub fn class_symbols(scene: &Scene<'_>) -> Vec<Symbol> {
    let labels = scene.lab.model.as_ref().map(|model| model.config.labels.as_slice()).unwrap_or_default();
    labels
        .iter()
        .enumerate()
        .map(|(class, label)| match scene.session.slots.symbol(Some(label)) {
            Symbol::NONE => Symbol::of(class),
            known => known,
        })
        .collect()
}
