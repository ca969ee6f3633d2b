//! Part 3: one file in train mode in many batches, and in eval mode.

use super::parts::{name_plot, still_plot};
use super::scene::Scene;
use super::state::Dependence;
use crate::app::command::Command;
use crate::app::command_ui::command_button;
use crate::app::lab_command::LabCommand;
use crate::app::lab_view::LabView;
use crate::app::theme::Tokens;
use crate::escape;
use crate::model::Norm;
use crate::sample::Sha256;
use egui::{Color32, DragValue, Grid, RichText, Ui};
use egui_plot::{MarkerShape, PlotPoints, Points};

/// Draws the choice of a file, the table of batch sizes, and the cloud of its embeddings.
pub fn batch_dependence_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView, out: &mut Vec<Command>) {
    let (Some(model), Some(folder)) = (&scene.lab.model, &scene.session.folder) else {
        ui.weak("Needs a model and an open folder.");
        return;
    };
    if model.config.norm == Norm::None {
        ui.label("This model has no batch normalisation, so the other files in a batch have no effect.");
        return;
    }
    let Some(report) = scene.lab.report() else {
        ui.weak("Shown once part 1 is measured.");
        return;
    };
    let files = &report.known.files;
    let sample = |at: usize| folder.set.samples.get(files.get(at)?.0);
    let chosen = view
        .file
        .and_then(|file| (0..files.len()).find(|at| sample(*at).is_some_and(|sample| sample.sha256 == file)));
    let mut at = chosen.unwrap_or(0);
    let name = |file: Sha256| {
        let sample = folder.set.samples.iter().find(|sample| sample.sha256 == file);
        sample.map(|sample| escape::file_name(&sample.path)).unwrap_or_default()
    };
    ui.horizontal(|ui| {
        let label = ui.label("File");
        let field = ui
            .add(DragValue::new(&mut at).range(0..=files.len().saturating_sub(1)))
            .labelled_by(label.id)
            .on_hover_text("Drag, or click and type, to choose another file");
        if let Some(sample) = sample(at) {
            if field.changed() {
                view.file = Some(sample.sha256);
            }
            ui.label(escape::file_name(&sample.path));
        }
        command_button(ui, scene.facts, Command::Lab(LabCommand::Dependence), out);
    });
    let Some(shown) = &scene.lab.dependence else {
        ui.weak("Its embeddings appear here: a cloud in train mode, one point in eval mode.");
        return;
    };
    let label = |class: Option<usize>| match class {
        Some(class) => {
            model.config.labels.get(class).map_or_else(|| "unknown".to_owned(), |label| escape::text(label))
        }
        None => "no result".to_owned(),
    };
    ui.label(format!(
        "{} in random batches. In eval mode it is always classified as {}.",
        name(shown.file),
        label(shown.found.eval_predicted)
    ));
    ui.columns(2, |columns| {
        let [left, right] = columns else { return };
        Grid::new("lab-batch-sizes").num_columns(3).spacing([16.0, 5.0]).striped(true).show(left, |ui| {
            for head in ["batch of", "spread", "classified as"] {
                ui.weak(head);
            }
            ui.end_row();
            for found in &shown.found.sizes {
                ui.label(RichText::new(found.size.to_string()).color(colour(found.size)).strong());
                ui.label(format!("{:.4}", found.spread))
                    .on_hover_text("Mean cosine distance of its embeddings from their mean direction");
                ui.label(predicted_text(&found.predicted, &label));
                ui.end_row();
            }
            ui.label(RichText::new("eval mode").color(Tokens::of(ui.visuals()).eval_mode).strong());
            ui.label("0");
            ui.label(label(shown.found.eval_predicted));
            ui.end_row();
        });
        cloud_ui(right, scene, shown);
    });
}

/// The most frequent labels with their counts: "mono 21, cryptography 3".
fn predicted_text(predicted: &[Option<usize>], label: &dyn Fn(Option<usize>) -> String) -> String {
    let mut counts: Vec<(Option<usize>, usize)> = Vec::new();
    for class in predicted {
        match counts.iter_mut().find(|(known, _)| known == class) {
            Some((_, n)) => *n += 1,
            None => counts.push((*class, 1)),
        }
    }
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let text: Vec<String> =
        counts.iter().take(3).map(|(class, n)| format!("{} {n}", label(*class))).collect();
    text.join(", ")
}

/// The colour of a batch size: pale for small batches, deep for large ones.
fn colour(size: usize) -> Color32 {
    let depth = (size.max(1).ilog2() as f32 / 8.0).clamp(0.0, 1.0);
    let mix = |pale: f32, deep: f32| (pale + (deep - pale) * depth) as u8;
    Color32::from_rgb(mix(200.0, 0x2f as f32), mix(225.0, 0x8f as f32), mix(245.0, 0xff as f32))
}

/// Draws the embeddings of the file among those of all files.
fn cloud_ui(ui: &mut Ui, scene: &Scene<'_>, shown: &Dependence) {
    let background: Vec<[f64; 2]> = scene
        .lab
        .measured
        .as_ref()
        .map(|measured| measured.places[0].iter().map(|place| place.map(f64::from)).collect())
        .unwrap_or_default();
    // The batch sizes have the colours of the table.
    let plot = still_plot("lab-cloud", 260.0).data_aspect(1.0).show_axes(false).show_grid(false);
    let tokens = Tokens::of(ui.visuals());
    let response = plot.show(ui, |plot| {
        let all = Points::new("all files, train mode", PlotPoints::from(background));
        plot.points(all.radius(1.5).color(Color32::from_gray(0x60)).allow_hover(false));
        for (found, places) in shown.found.sizes.iter().zip(&shown.places) {
            let points: Vec<[f64; 2]> = places.iter().map(|place| place.map(f64::from)).collect();
            plot.points(
                Points::new(format!("batch of {}", found.size), PlotPoints::from(points))
                    .radius(3.0)
                    .color(colour(found.size))
                    .allow_hover(false),
            );
        }
        let eval = Points::new("eval mode", PlotPoints::from(vec![shown.eval.map(f64::from)]));
        plot.points(eval.shape(MarkerShape::Diamond).radius(7.0).color(tokens.eval_mode).allow_hover(false));
    });
    name_plot(&response.response, "Cloud of one file's embeddings in different batches");
}
