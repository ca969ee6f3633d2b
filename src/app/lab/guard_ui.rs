//! The guard: a warning outside the lab that the model's eval mode is unreliable, with its repair.

use super::state::Lab;
use crate::app::command::Command;
use crate::app::lab_command::LabCommand;
use crate::app::theme::icon;
use crate::app::view::{Tab, View};
use crate::batchnorm::{Repair, Severity, warning};
use egui::{RichText, Ui};

/// The warning, if there is one.
pub fn guard_text(lab: &Lab) -> Option<String> {
    // The model of a trial answers nothing.
    let model = lab.library_model()?;
    if let Some(report) = lab.report().filter(|_| lab.trial.is_none()) {
        return (report.verdict.severity >= Severity::Repair).then(|| report.verdict.sentence.clone());
    }
    match model.usable() {
        Err(error) => Some(error.to_string()),
        Ok(()) => warning(&model.config).map(|text| format!("Careful: {text}.")),
    }
}

/// Draws the warning with buttons to open the lab and to repair the model.
pub fn guard_ui(ui: &mut Ui, warning: &str, lab: &Lab, view: &mut View, out: &mut Vec<Command>) {
    ui.add_space(3.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(format!("{} {warning}", icon::WARNING)).color(ui.visuals().warn_fg_color));
        if ui.button("Look into it").on_hover_text("Opens the batch-norm lab").clicked() {
            view.kept.tab = Tab::BatchNorm;
        }
        let ready = lab.report().is_some() && lab.trial.is_none();
        if ready
            && lab.candidates.is_empty()
            && ui
                .button("Repair: recompute")
                .on_hover_text(
                    "Makes a repaired model and shows its figures before and after; nothing changes until you use it",
                )
                .clicked()
        {
            view.kept.tab = Tab::BatchNorm;
            view.lab.jump = Some(4);
            out.push(Command::Lab(LabCommand::Repair(Repair::Recompute)));
        }
    });
    ui.add_space(3.0);
}
