//! The batch-norm lab: the difference between train mode and eval mode on the analyst's own model
//! and files, measured, explained and mended, in the order in which a newcomer asks.

mod act;
mod company_ui;
mod experiment_ui;
mod guard_ui;
mod layers_ui;
mod modes_ui;
mod parts;
mod repair_ui;
mod state;
mod try_ui;

pub use guard_ui::{guard_ui, needed as guard_needed};
pub use state::{Candidate, InCompanyShown, Lab, LabFinished, LabView, Measured};

use super::command::Command;
use super::jobs::{Jobs, Kind};
use super::session::Session;
use crate::batchnorm::Repair;
use crate::model::Norm;
use egui::{Button, RichText, ScrollArea, Ui};

/// What the lab is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum LabCommand {
    /// Measure both modes of the model on the open folder.
    Measure,
    /// Embed the chosen file in random batches.
    Company,
    /// Make a repaired model.
    Repair(Repair),
    /// Train the model for more batches.
    TrainOn,
    /// Train a model without batch normalisation.
    TrainWithout,
    /// Let a repaired model answer.
    Use(usize),
    /// Let the former model answer again.
    Undo,
    /// Train as in the article, to see it fail.
    Article,
    /// Run the experiment.
    Experiment,
}

/// What the panel is drawn from.
pub struct Scene<'a> {
    /// What is open.
    pub session: &'a Session,
    /// What the lab knows.
    pub lab: &'a Lab,
    /// What runs.
    pub jobs: &'a Jobs,
}

impl Scene<'_> {
    fn runs(&self, kind: Kind) -> bool {
        self.jobs.runs(kind)
    }
}

/// Draws all parts.
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
                modes_ui::modes_ui(ui, scene);
            },
        );
        parts::part_ui(ui, (2, "What a layer keeps"), jump == Some(2), parts::WHY_LAYERS, |ui| {
            layers_ui::layers_ui(ui, scene, view);
        });
        parts::part_ui(ui, (3, "The company a file keeps"), jump == Some(3), parts::WHY_COMPANY, |ui| {
            company_ui::company_ui(ui, scene, view, out);
        });
        parts::part_ui(
            ui,
            (4, "Try it: momentum, batches, batch size"),
            jump == Some(4),
            parts::WHY_TRY,
            |ui| {
                try_ui::try_ui(ui, scene, view, out);
            },
        );
        parts::part_ui(ui, (5, "Repair"), jump == Some(5), parts::WHY_REPAIR, |ui| {
            repair_ui::repair_ui(ui, scene, out);
        });
        parts::part_ui(ui, (6, "With and without"), jump == Some(6), parts::WHY_EXPERIMENT, |ui| {
            experiment_ui::experiment_ui(ui, scene, view, out);
        });
        ui.add_space(20.0);
    });
}

/// Which model and folder it is about, and what is missing.
fn head_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Vec<Command>) {
    let Scene { session, lab, .. } = scene;
    ui.horizontal_wrapped(|ui| {
        match &lab.model {
            None => {
                ui.label("No model yet. Train one, or see in part 6 how one fails.");
            }
            Some(model) => {
                let kind = match model.config.norm {
                    Norm::Batch => format!("{} batch-norm layers", model.network.running.len()),
                    Norm::None => "no batch normalisation".to_owned(),
                };
                ui.label(format!(
                    "The model of {} labels, trained on {} files for {} batches of {}; {kind}.",
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
        let ready = session.folder.is_some() && lab.model.is_some() && !scene.runs(Kind::Lab);
        let measure = ui.add_enabled(ready, Button::new("Measure again"));
        if measure
            .on_hover_text("Both modes of this model on the open folder; the model is not changed")
            .on_disabled_hover_text("Needs a model and an open labelled folder")
            .clicked()
        {
            out.push(Command::Lab(LabCommand::Measure));
        }
        let trainable = session.folder.as_ref().is_some_and(|folder| folder.labels >= 2);
        let article =
            ui.add_enabled(trainable && !scene.runs(Kind::Train), Button::new("Train as in the article"));
        if article
            .on_hover_text("To see it fail: a plain classifier, one epoch (at least 40 batches), a moving average with Keras' momentum 0.99 (0.01 here)")
            .on_disabled_hover_text("Needs an open labelled folder with at least two labels, and no training running")
            .clicked()
        {
            out.push(Command::Lab(LabCommand::Article));
        }
    });
    if let Some(obstacle) = &lab.obstacle {
        ui.label(RichText::new(format!("⚠ {obstacle}")).color(ui.visuals().warn_fg_color));
    }
}
