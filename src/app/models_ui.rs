//! The models that the library holds: name, date, what each was trained on, its figures, and whether it answers; and the
//! bar that offers one that was just trained.

use super::command::Command;
use super::command_ui::{command_button, command_button_as};
use super::controls::primary_command;
use super::facts::Facts;
use super::session::Session;
use super::theme::{Tokens, heading, icon, small};
use super::view::{Interrupted, Offer};
use crate::escape;
use crate::library::StoredModel;
use crate::workflow::{count, trained_on};
use egui::{Align, Button, Layout, RichText, Ui};

/// Draws the models.
pub fn models_ui(ui: &mut Ui, facts: &Facts, session: &Session, out: &mut Vec<Command>) {
    let Some(models) = &session.models else {
        ui.weak("Reading the models…");
        return;
    };
    if models.is_empty() {
        ui.weak("The library holds no model yet. It gets one with its first samples.");
        return;
    }
    ui.weak("Switching reads the samples again that a model has not embedded. Nothing is deleted.");
    for model in models.iter().rev() {
        ui.separator();
        model_ui(ui, facts, session, model, out);
    }
}

fn model_ui(ui: &mut Ui, facts: &Facts, session: &Session, model: &StoredModel, out: &mut Vec<Command>) {
    let tokens = Tokens::of(ui.visuals());
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if model.current {
                ui.label(RichText::new("answers now").color(tokens.good));
            } else if model.config.is_ok() {
                let button = Button::new("Use it");
                command_button_as(ui, facts, button, Command::UseModel(model.hash), out);
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.label(heading(escape::text(&model.name)));
                let added = escape::text(&time_of(&model.added));
                let embedded = format!(
                    "{} of {} samples embedded",
                    model.embedded,
                    session.contents.len() + session.contents.others()
                );
                ui.add(
                    egui::Label::new(small(format!("added {added}; {embedded}; {}", model.hash.short())))
                        .truncate(),
                );
                ui.add(egui::Label::new(RichText::new(trained_on(model)).color(tokens.text2)).wrap());
            });
        });
    });
}

/// A time of the library as people read it, to the minute.
fn time_of(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => rfc3339.to_owned(),
    }
}

/// Draws the bar that offers to go on with a training.
pub fn resume_ui(ui: &mut Ui, facts: &Facts, interrupted: &Interrupted, out: &mut Vec<Command>) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("The training on {} was interrupted.", escape::file_name(&interrupted.folder)));
        primary_command(ui, facts, Command::ResumeTraining, out);
        command_button(ui, facts, Command::DiscardTraining, out);
    });
    ui.add_space(4.0);
}

/// Draws the bar that offers a model.
pub fn offer_ui(ui: &mut Ui, facts: &Facts, offer: &Offer, out: &mut Vec<Command>) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        let samples = count(offer.lacking, "sample");
        ui.label(format!(
            "{} is ready ({}). The library keeps its model: the new one has not embedded {samples} yet.",
            offer.what, offer.figures
        ));
        let tokens = Tokens::of(ui.visuals());
        let command = Command::UseModel(offer.model);
        if offer.weak {
            let warning = "Its eval mode cannot be trusted: repair it in the lab first.";
            ui.label(RichText::new(format!("{} {warning}", icon::WARNING)).color(tokens.warn));
            command_button(ui, facts, command, out);
            primary_command(ui, facts, Command::KeepModel, out);
        } else {
            primary_command(ui, facts, command, out);
            command_button(ui, facts, Command::KeepModel, out);
        }
    });
    ui.add_space(4.0);
}
