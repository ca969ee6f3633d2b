//! Part 5: repairs, with figures before and after.

use super::modes_ui::table_ui;
use super::parts::percent;
use super::scene::Scene;
use crate::app::command::Command;
use crate::app::command_ui::command_button;
use crate::app::lab_command::LabCommand;
use crate::app::question::Purpose;
use crate::app::theme::Tokens;
use crate::batchnorm::Repair;
use egui::Ui;

/// Draws the buttons of the repairs, the repaired models, and the repairs recorded in the model.
pub fn repair_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Vec<Command>) {
    let Some(model) = &scene.lab.model else {
        ui.weak("Needs a model.");
        return;
    };
    ui.horizontal_wrapped(|ui| {
        for command in [
            LabCommand::Repair(Repair::Recompute),
            LabCommand::Repair(Repair::Average),
            LabCommand::Repair(Repair::Debias),
            LabCommand::TrainLonger,
            LabCommand::TrainWithout,
        ] {
            command_button(ui, scene.facts, Command::Lab(command), out);
        }
    });
    candidates_ui(ui, scene, out);
    if let Some(previous) = scene.lab.previous.last() {
        let undo = command_button(ui, scene.facts, Command::Lab(LabCommand::Undo), out);
        undo.on_hover_text(format!("SHA-256 {}", previous.hash));
    }
    for repair in &model.config.repairs {
        let measured = match (repair.eval_mode_accuracy_before, repair.eval_mode_accuracy_after) {
            (Some(before), Some(after)) => {
                format!("eval mode {} before, {} after", percent(before), percent(after))
            }
            _ => "of labels that it does not know".to_owned(),
        };
        ui.weak(format!("This model was repaired: {} ({} files; {measured}).", repair.what, repair.files));
    }
}

/// Draws the figures of the model and of each repaired model.
fn candidates_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Vec<Command>) {
    let Some(report) = scene.lab.report() else { return };
    let modes = [
        ("Train mode", Tokens::of(ui.visuals()).train_mode),
        ("Eval mode", Tokens::of(ui.visuals()).eval_mode),
    ];
    ui.add_space(6.0);
    ui.strong("Before: the current model");
    table_ui(ui, "lab-before", &modes, &report.summaries());
    for candidate in &scene.lab.candidates {
        let hash = candidate.model.hash;
        ui.add_space(8.0);
        ui.horizontal_wrapped(|ui| {
            ui.strong(format!("After: {}", candidate.what));
            command_button(ui, scene.facts, Command::Lab(LabCommand::Use(hash)), out);
            command_button(ui, scene.facts, Command::Save(Purpose::Candidate(hash)), out);
        });
        table_ui(ui, &format!("lab-after-{hash}"), &modes, &candidate.numbers);
    }
    if scene.lab.candidates.is_empty() {
        ui.weak("Each repair adds its figures here. Nothing changes until you use a repaired model.");
    }
}
