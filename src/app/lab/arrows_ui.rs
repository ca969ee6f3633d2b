//! Part 3: an arrow for each file from its place in train mode to its place in eval mode. The pointer names a file, its
//! label, and what each mode says.

use super::legend::{Mark, mark_ui, plain};
use super::parts::{name_plot, still_plot};
use super::scene::Scene;
use super::state::Measured;
use crate::app::lab_view::LabView;
use crate::app::paint::{self, Ink};
use crate::app::symbol::Symbol;
use crate::app::theme::{Tokens, heading, small};
use crate::batchnorm::thousands;
use crate::escape;
use egui::{Align2, Pos2, Rect, Stroke, Ui, vec2};
use egui_plot::{Arrows, PlotPoint, PlotPoints, Points};
use std::collections::BTreeMap;

/// Arrows drawn, at most: more would cover each other.
const ARROWS: usize = 640;
/// How near the pointer has to be to a place, in points.
const NEAR: f32 = 9.0;

/// Draws what the marks mean, from right to left.
pub fn arrows_legend_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let Some(measured) = &scene.lab.measured else { return };
    let (all, colour) = (measured.places[0].len(), plain(ui));
    if ui.available_width() > 300.0 {
        ui.label(small(format!("{} of {} files", thousands(all.min(ARROWS)), thousands(all))));
        ui.add_space(6.0);
    }
    for (mark, text) in [(Mark::Arrow, "to eval mode"), (Mark::Point, "train mode")] {
        ui.label(small(text));
        mark_ui(ui, mark, colour);
        ui.add_space(6.0);
    }
}

/// Draws the arrows. A click chooses the file for part 6.
pub fn arrows_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView, height: f32) {
    let Some(measured) = scene.lab.measured.clone() else { return };
    let [train, eval] = &measured.places;
    if eval.is_empty() {
        ui.weak("In eval mode the embeddings are not numbers, so they have no places.");
        return;
    }
    let (symbols, tokens) = (class_symbols(scene), Tokens::of(ui.visuals()));
    let mut ends = BTreeMap::<usize, [Vec<[f64; 2]>; 2]>::new();
    for ((from, to), (_, class)) in train.iter().zip(eval).zip(&measured.report.known.files).take(ARROWS) {
        let [origins, tips] = ends.entry(*class).or_default();
        origins.push(from.map(f64::from));
        tips.push(to.map(f64::from));
    }
    let named: Vec<(usize, [f64; 2])> =
        ends.iter().map(|(class, [origins, _])| (*class, middle(origins))).collect();
    let plot = still_plot("lab-arrows", height).data_aspect(1.0).show_axes(false).show_grid(false);
    let shown = plot.show(ui, |plot| {
        for (class, [origins, tips]) in ends {
            let symbol = symbols.get(class).copied().unwrap_or(Symbol::NONE);
            let colour = symbol.colour(tokens.dark);
            let arrows = Arrows::new(
                format!("label {class} moves"),
                PlotPoints::from(origins.clone()),
                PlotPoints::from(tips),
            );
            plot.arrows(arrows.color(colour.gamma_multiply(0.45)).tip_length(5.0).allow_hover(false));
            let points = Points::new(format!("label {class}"), PlotPoints::from(origins));
            plot.points(points.shape(symbol.shape()).color(colour).radius(3.0).allow_hover(false));
        }
    });
    let place =
        |[x, y]: [f32; 2]| shown.transform.position_from_point(&PlotPoint::new(f64::from(x), f64::from(y)));
    let area = shown.response.rect;
    for (class, at) in named {
        let at = place(at.map(|v| v as f32));
        name_ui(ui, area, at, &label(scene, Some(class)));
    }
    let near = shown.response.hover_pos().and_then(|at| nearest(at, &measured, &place));
    if let Some(at) = near {
        let (from, to) = (place(train[at]), place(eval[at]));
        let painter = ui.painter().with_clip_rect(area);
        painter.line_segment([from, to], Stroke::new(2.0, tokens.text));
        painter.circle_stroke(from, 6.0, Stroke::new(2.0, tokens.text));
        painter.circle_stroke(to, 3.0, Stroke::new(2.0, tokens.text));
        if shown.response.clicked() {
            view.file = file(scene, &measured, at).map(|sample| sample.sha256);
        }
        shown.response.clone().on_hover_ui_at_pointer(|ui| said_ui(ui, scene, &measured, at));
    }
    let n = train.len().min(ARROWS);
    name_plot(&shown.response, &format!("Arrows of {n} files from train mode to eval mode"));
}

/// The sample of a measured file.
fn file<'a>(scene: &'a Scene<'_>, measured: &Measured, at: usize) -> Option<&'a crate::sample::Sample> {
    scene.folder()?.set.samples.get(measured.report.known.files.get(at)?.0)
}

/// Draws the name of a file, its label, and what each mode says.
fn said_ui(ui: &mut Ui, scene: &Scene<'_>, measured: &Measured, at: usize) {
    let report = &measured.report;
    if let Some(sample) = file(scene, measured, at) {
        ui.label(heading(escape::file_name(&sample.path)));
    }
    let class = report.known.files.get(at).map(|(_, class)| *class);
    ui.label(format!("Its label: {}", label(scene, class)));
    let tokens = Tokens::of(ui.visuals());
    for (name, mode, colour) in [
        ("Train mode", &report.compared.train, tokens.train_mode),
        ("Eval mode", &report.compared.eval, tokens.eval_mode),
    ] {
        let said = mode.predicted.get(at).copied().flatten();
        let right = if said == class { "right" } else { "wrong" };
        ui.colored_label(colour, format!("{name}: {}, {right}", label(scene, said)));
    }
    ui.label(small("A click chooses it for part 6"));
}

/// The file whose place in either mode is nearest to the pointer.
fn nearest(at: Pos2, measured: &Measured, place: &dyn Fn([f32; 2]) -> Pos2) -> Option<usize> {
    let [train, eval] = &measured.places;
    let ends = train.iter().zip(eval).take(ARROWS).enumerate();
    let near = ends.map(|(i, (from, to))| (i, place(*from).distance(at).min(place(*to).distance(at))));
    near.filter(|(_, far)| *far < NEAR).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)
}

/// Writes the name of a label on the plot, on a ground that keeps it readable.
fn name_ui(ui: &Ui, area: Rect, at: Pos2, text: &str) {
    let tokens = Tokens::of(ui.visuals());
    let ink = Ink::body(tokens.text).weight(600.0);
    let galley = paint::layout(ui.painter(), text, &ink, 120.0);
    let mut rect = Rect::from_center_size(at, galley.size() + vec2(6.0, 2.0));
    rect = rect.translate(vec2(
        (area.left() + 2.0 - rect.left()).max(0.0) - (rect.right() - area.right() + 2.0).max(0.0),
        (area.top() + 2.0 - rect.top()).max(0.0) - (rect.bottom() - area.bottom() + 2.0).max(0.0),
    ));
    ui.painter().rect_filled(rect, 3.0, tokens.sunken.gamma_multiply(0.85));
    let at = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect);
    ui.painter().galley(at.min, galley, tokens.text);
}

/// The median of each coordinate.
fn middle(points: &[[f64; 2]]) -> [f64; 2] {
    [0, 1].map(|axis| {
        let mut values: Vec<f64> = points.iter().map(|point| point[axis]).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    })
}

/// The name of a label of the model in the lab.
pub fn label(scene: &Scene<'_>, class: Option<usize>) -> String {
    let Some(class) = class else { return "no result".to_owned() };
    let known = scene.lab.model.as_ref().and_then(|model| model.config.labels.get(class));
    known.map_or_else(|| "unknown".to_owned(), |label| escape::text(label))
}

/// The symbols of the model's labels, as in the list of labels.
fn class_symbols(scene: &Scene<'_>) -> Vec<Symbol> {
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
