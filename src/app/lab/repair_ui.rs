//! Part 5: repairs, each with before and after.

use super::modes_ui::table_ui;
use super::parts::percent;
use super::{LabCommand, Scene};
use crate::app::command::Command;
use crate::app::jobs::Kind;
use crate::app::theme::{EVAL_MODE, TRAIN_MODE};
use crate::app::view::Ask;
use crate::batchnorm::Repair;
use crate::model::Norm;
use egui::{Button, Ui};

/// Draws it.
pub fn repair_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Vec<Command>) {
    let Some(model) = &scene.lab.model else {
        ui.weak("Needs a model.");
        return;
    };
    let measured = scene.lab.report().is_some();
    let busy = scene.runs(Kind::Repair) || scene.runs(Kind::Train);
    ui.horizontal_wrapped(|ui| {
        let mut button = |text: &str, hint: &str, obstacle: Option<&str>, command: LabCommand| {
            let ready = measured && !busy && obstacle.is_none();
            let why = obstacle.unwrap_or(if busy {
                "Something of the kind is running"
            } else {
                "Comes with part 1"
            });
            if ui
                .add_enabled(ready, Button::new(text))
                .on_hover_text(hint)
                .on_disabled_hover_text(why)
                .clicked()
            {
                out.push(Command::Lab(command));
            }
        };
        let without = (model.config.norm == Norm::None).then_some("This model has no batch normalisation");
        for (text, hint, repair) in [
            (
                "Recompute the statistics",
                "Over the open folder, with the weights frozen: seconds",
                Repair::Recompute,
            ),
            (
                "Average instead of moving",
                "The plain average of all batches of its training",
                Repair::Average,
            ),
            (
                "Take the start out",
                "Removes what is left of the initial 0 and 1; needs no files",
                Repair::Debias,
            ),
        ] {
            button(text, hint, repair.obstacle(model), LabCommand::Repair(repair));
        }
        button(
            "Train on",
            "More batches at a low learning rate, until less than 1 % of the start is left",
            without,
            LabCommand::TrainOn,
        );
        button(
            "Train without batch norm",
            "A new model, whose two modes are one",
            without,
            LabCommand::TrainWithout,
        );
    });
    candidates_ui(ui, scene, out);
    if let Some(former) = scene.lab.former.last() {
        ui.horizontal(|ui| {
            let busy = scene.runs(Kind::Repair);
            if ui
                .add_enabled(!busy, Button::new("Undo: use the former model again"))
                .on_hover_text(format!("SHA-256 {}", former.hash))
                .clicked()
            {
                out.push(Command::Lab(LabCommand::Undo));
            }
        });
    }
    for repair in &model.config.repairs {
        ui.weak(format!(
            "This model was repaired: {} ({} files; eval mode {} before, {} after).",
            repair.what,
            repair.files,
            percent(repair.eval_mode_accuracy_before),
            percent(repair.eval_mode_accuracy_after)
        ));
    }
}

fn candidates_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Vec<Command>) {
    let Some(report) = scene.lab.report() else { return };
    let modes = [("Train mode", TRAIN_MODE), ("Eval mode", EVAL_MODE)];
    ui.add_space(6.0);
    ui.strong("Before: the model as it is");
    table_ui(ui, "lab-before", &modes, &report.summaries());
    for (i, candidate) in scene.lab.candidates.iter().enumerate() {
        ui.add_space(8.0);
        ui.horizontal_wrapped(|ui| {
            ui.strong(format!("After: {}", candidate.what));
            let free = !scene.runs(Kind::Repair);
            if ui
                .add_enabled(free, Button::new("Use it"))
                .on_hover_text(
                    "The open folder is embedded anew with it, and it answers from now on. Can be undone",
                )
                .clicked()
            {
                out.push(Command::Lab(LabCommand::Use(i)));
            }
            if ui.button("Save…").on_hover_text("As a model file whose metadata says what was done").clicked()
            {
                out.push(Command::Question(Ask::Candidate(i)));
            }
        });
        table_ui(ui, &format!("lab-after-{i}"), &modes, &candidate.numbers);
    }
    if scene.lab.candidates.is_empty() {
        ui.weak("Each repair adds its figures here. Nothing changes until you use one.");
    }
}
