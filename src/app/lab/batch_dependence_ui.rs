//! Part 6: one file in train mode in many batches, and in eval mode.

use super::arrows_ui::label;
use super::columns::{Column, head_ui, row_ui};
use super::parts::{beside, name_plot, note_ui, still_plot};
use super::scene::Scene;
use super::state::Dependence;
use crate::app::command::Command;
use crate::app::command_ui::command_button;
use crate::app::lab_command::LabCommand;
use crate::app::lab_view::LabView;
use crate::app::theme::tokens::mix;
use crate::app::theme::{Tokens, heading, small};
use crate::batchnorm::Report;
use crate::escape;
use crate::model::Norm;
use egui::{Color32, DragValue, Ui};
use egui_plot::{MarkerShape, PlotPoints, Points};

/// The columns of the table of batch sizes.
const COLUMNS: [Column; 3] = [
    Column::text("batch of", 1.0),
    Column::number("spread", "Mean cosine distance of its embeddings from their mean direction", 0.8),
    Column::text("    classified as", 2.2),
];

/// Draws the choice of a file, the table of batch sizes, and the cloud of its embeddings.
pub fn batch_dependence_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    report: &Report,
    view: &mut LabView,
    out: &mut Vec<Command>,
) {
    let (Some(model), Some(folder)) = (&scene.lab.model, scene.folder()) else { return };
    if model.config.norm == Norm::None {
        ui.label("This model has no batch normalisation, so the other files in a batch have no effect.");
        return;
    }
    let files = &report.known.files;
    let sample = |at: usize| folder.set.samples.get(files.get(at)?.0);
    let position = |file| (0..files.len()).find(|at| sample(*at).is_some_and(|sample| sample.sha256 == file));
    let mut at = view.file.and_then(position).unwrap_or(0);
    ui.horizontal_wrapped(|ui| {
        let name = ui.label("File");
        let field = ui
            .add(DragValue::new(&mut at).range(0..=files.len().saturating_sub(1)))
            .labelled_by(name.id)
            .on_hover_text("Drag, or click and type, to choose another file; or click one in part 3");
        if let Some(sample) = sample(at) {
            if field.changed() {
                view.file = Some(sample.sha256);
            }
            let class = files.get(at).map(|(_, class)| *class);
            ui.label(heading(escape::file_name(&sample.path)));
            ui.weak(format!("its label: {}", label(scene, class)));
        }
        command_button(ui, scene.facts, Command::Lab(LabCommand::Dependence), out);
    });
    let Some(shown) = &scene.lab.dependence else {
        ui.weak("Its embeddings appear here: a cloud in train mode, one point in eval mode.");
        return;
    };
    let shown_at = position(shown.file);
    let class = shown_at.and_then(|at| files.get(at)).map(|(_, class)| *class);
    if let Some(sample) = shown_at.and_then(sample) {
        note_ui(
            ui,
            &format!(
                "{}, label {}, in random batches. In eval mode it is always classified as {}.",
                escape::file_name(&sample.path),
                label(scene, class),
                label(scene, shown.found.eval_predicted)
            ),
        );
    }
    beside(ui, 330.0, |ui| table_ui(ui, scene, shown, class), |ui| cloud_ui(ui, scene, shown));
}

/// Draws a row for each batch size, and one for eval mode.
fn table_ui(ui: &mut Ui, scene: &Scene<'_>, shown: &Dependence, class: Option<usize>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    head_ui(ui, &COLUMNS);
    for found in &shown.found.sizes {
        let texts = [
            found.size.to_string(),
            format!("{:.4}", found.spread),
            format!("    {}", predicted_text(&found.predicted, &|class| label(scene, class))),
        ];
        let row = row_ui(ui, &COLUMNS, &texts);
        let dot = egui::pos2(row.rect.left() + 48.0, row.rect.center().y);
        ui.painter().circle_filled(dot, 4.0, colour(Tokens::of(ui.visuals()), found.size));
    }
    let eval = format!("    {}", label(scene, shown.found.eval_predicted));
    row_ui(ui, &COLUMNS, &["eval mode".to_owned(), "0".to_owned(), eval]);
    ui.add_space(4.0);
    ui.label(small(format!("The label of the file is {}.", label(scene, class))));
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
        counts.iter().take(3).map(|(class, n)| format!("{} {n}×", label(*class))).collect();
    text.join(", ")
}

/// The colour of a batch size: pale for small batches, that of train mode for large ones.
fn colour(tokens: &Tokens, size: usize) -> Color32 {
    let depth = (size.max(1).ilog2() as f32 / 8.0).clamp(0.0, 1.0);
    mix(tokens.link, tokens.train_mode, depth)
}

/// Draws the embeddings of the file among those of all files.
fn cloud_ui(ui: &mut Ui, scene: &Scene<'_>, shown: &Dependence) {
    let background: Vec<[f64; 2]> = scene
        .lab
        .measured
        .as_ref()
        .map(|measured| measured.places[0].iter().map(|place| place.map(f64::from)).collect())
        .unwrap_or_default();
    let plot = still_plot("lab-cloud", 250.0).data_aspect(1.0).show_axes(false).show_grid(false);
    let tokens = Tokens::of(ui.visuals());
    let response = plot.show(ui, |plot| {
        let all = Points::new("all files, train mode", PlotPoints::from(background));
        plot.points(all.radius(1.5).color(tokens.pressed).allow_hover(false));
        for (found, places) in shown.found.sizes.iter().zip(&shown.places) {
            let points: Vec<[f64; 2]> = places.iter().map(|place| place.map(f64::from)).collect();
            plot.points(
                Points::new(format!("batch of {}", found.size), PlotPoints::from(points))
                    .radius(3.0)
                    .color(colour(tokens, found.size))
                    .allow_hover(false),
            );
        }
        let eval = Points::new("eval mode", PlotPoints::from(vec![shown.eval.map(f64::from)]));
        plot.points(eval.shape(MarkerShape::Diamond).radius(7.0).color(tokens.eval_mode).allow_hover(false));
    });
    name_plot(&response.response, "Cloud of one file's embeddings in different batches");
    ui.label(small(
        "Small marks: all files in train mode. Dots: this file, by batch size. Diamond: eval mode.",
    ));
}
