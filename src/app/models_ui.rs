//! The models that the library holds: name, date, what each was trained on, its figures, and whether it answers; and the
//! bar that offers one that was just trained.

use super::command::Command;
use super::command_ui::{command_button, command_button_as};
use super::controls::primary_button;
use super::facts::Facts;
use super::session::Session;
use super::theme::{Tokens, heading, small};
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
                let added = escape::text(model.added.get(..10).unwrap_or(&model.added));
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

/// Draws the bar that offers to go on with a training.
pub fn resume_ui(ui: &mut Ui, facts: &Facts, interrupted: &Interrupted, out: &mut Vec<Command>) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("The training on {} was interrupted.", escape::file_name(&interrupted.folder)));
        let command = Command::ResumeTraining;
        let button = primary_button(ui, command.obstacle(facts).is_none(), command.about().text);
        if button.on_hover_text(command.about().hint).clicked() {
            out.push(command);
        }
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
            "{} is ready. The library keeps its model: the new one has not embedded {samples} yet.",
            offer.what
        ));
        let command = Command::UseModel(offer.model);
        let obstacle = command.obstacle(facts);
        let button = primary_button(ui, obstacle.is_none(), command.about().text);
        let button = match obstacle {
            Some(why) => button.on_disabled_hover_text(why),
            None => button.on_hover_text(command.about().hint),
        };
        if button.clicked() {
            out.push(command);
        }
        command_button(ui, facts, Command::KeepModel, out);
    });
    ui.add_space(4.0);
}
