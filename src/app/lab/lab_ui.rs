//! The panel of the batch-norm lab: its heading and its six parts.

use super::batch_dependence_ui::batch_dependence_ui;
use super::experiment_ui::experiment_ui;
use super::layers_ui::layers_ui;
use super::modes_ui::modes_ui;
use super::parts;
use super::repair_ui::repair_ui;
use super::scene::Scene;
use super::try_ui::try_ui;
use crate::app::command::Command;
use crate::app::command_ui::command_button;
use crate::app::lab_command::LabCommand;
use crate::app::lab_view::LabView;
use crate::model::Norm;
use egui::{RichText, ScrollArea, Ui};

/// Draws the heading and the six parts.
pub fn lab_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView, out: &mut Vec<Command>) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(980.0));
        head_ui(ui, scene, out);
        let jump = view.jump.take();
        parts::part_ui(
            ui,
            (1, "Same files, same weights, two modes"),
            jump == Some(1),
            parts::WHY_MODES,
            |ui| {
                modes_ui(ui, scene);
            },
        );
        parts::part_ui(
            ui,
            (2, "Running statistics, layer by layer"),
            jump == Some(2),
            parts::WHY_LAYERS,
            |ui| {
                layers_ui(ui, scene, view);
            },
        );
        parts::part_ui(
            ui,
            (3, "The same file in different batches"),
            jump == Some(3),
            parts::WHY_DEPENDENCE,
            |ui| {
                batch_dependence_ui(ui, scene, view, out);
            },
        );
        parts::part_ui(
            ui,
            (4, "Try it: momentum, batches, batch size"),
            jump == Some(4),
            parts::WHY_TRY,
            |ui| {
                try_ui(ui, scene, view, out);
            },
        );
        parts::part_ui(ui, (5, "Repair"), jump == Some(5), parts::WHY_REPAIR, |ui| {
            repair_ui(ui, scene, out);
        });
        parts::part_ui(
            ui,
            (6, "With and without batch normalisation"),
            jump == Some(6),
            parts::WHY_EXPERIMENT,
            |ui| {
                experiment_ui(ui, scene, view, out);
            },
        );
        ui.add_space(20.0);
    });
}

/// Draws which model and folder are in the lab, and the buttons to measure and to train.
fn head_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Vec<Command>) {
    let Scene { session, lab, .. } = scene;
    ui.horizontal_wrapped(|ui| {
        match &lab.model {
            None => {
                ui.label("No model yet. Train one, or run the experiment in part 6 to see one fail.");
            }
            Some(model) => {
                let kind = match model.config.norm {
                    Norm::Batch => format!("{} batch-norm layers", model.network.running.len()),
                    Norm::None => "no batch normalisation".to_owned(),
                };
                ui.label(format!(
                    "A model of {} labels, trained on {} files for {} batches of {}; {kind}.",
                    model.config.labels.len(),
                    model.config.training.files,
                    model.config.training.steps,
                    model.config.training.batch_size
                ));
            }
        }
        if let Some(folder) = &session.folder {
            ui.weak(format!("Open folder: {}.", crate::escape::file_name(&folder.path)));
        }
    });
    ui.horizontal_wrapped(|ui| {
        command_button(ui, scene.facts, Command::Lab(LabCommand::Measure), out);
        command_button(ui, scene.facts, Command::Lab(LabCommand::Article), out);
    });
    if let Some(obstacle) = &lab.obstacle {
        ui.label(RichText::new(format!("⚠ {obstacle}")).color(ui.visuals().warn_fg_color));
    }
}
