//! The training tab: the settings of the next training, and the curves of one, under the name of what they are of.

use super::command::Command;
use super::command_ui::{command_button, command_button_as};
use super::controls::primary_button;
use super::facts::Facts;
use super::lab::legend::{Mark, legend_ui};
use super::session::Session;
use super::theme::{Tokens, heading, small};
use super::view::View;
use crate::escape;
use crate::model::{CONVENTIONS, Epoch, Norm, StatisticsPolicy};
use egui::{Button, Color32, ComboBox, DragValue, Grid, Role, ScrollArea, Ui, WidgetInfo};
use egui_plot::{Line, LineStyle, Plot, PlotPoints};

/// Draws the open folder, the settings, the buttons and the curves.
pub fn training_ui(ui: &mut Ui, facts: &Facts, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        folder_ui(ui, facts, session, out);
        ui.add_space(6.0);
        settings_ui(ui, view);
        ui.add_space(6.0);
        buttons_ui(ui, facts, session, out);
        ui.separator();
        if !session.history.is_empty() {
            ui.label(heading(curves_of(facts, session)));
            curves_ui(ui, facts, session);
        } else if facts.training {
            ui.label(heading(curves_of(facts, session)));
            ui.weak("The first point of the curves appears after a twelfth of the training.");
        } else {
            ui.weak("No training yet. The curves appear here.");
        }
    });
}

/// What the curves are of: never of the folder above them without saying so.
fn curves_of(facts: &Facts, session: &Session) -> String {
    let Some(path) = &session.curves_of else {
        let Some(model) = session.contents.model() else { return "Curves of the model in use".to_owned() };
        let (training, labels) = (&model.config.training, model.config.labels.len());
        return format!("Curves of the model in use, trained on {} files of {labels} labels", training.files);
    };
    let name = escape::file_name(path);
    let open = session.folder.as_ref().is_some_and(|folder| folder.path == *path);
    match (facts.training, open) {
        (true, _) => format!("Training on {name}"),
        (false, true) => format!("The latest training, on {name}"),
        (false, false) => format!("The latest training, on {name}, which is not the open folder"),
    }
}

/// The files that the curves were measured on, if that is known.
fn measured_on(facts: &Facts, session: &Session) -> String {
    let training = session.contents.model().map(|model| &model.config.training);
    match training.filter(|training| !facts.training && training.history == session.history) {
        Some(training) => format!("; measured on {}", training.compared_text()),
        None => String::new(),
    }
}

/// Draws which folder is open, or the button to open one.
fn folder_ui(ui: &mut Ui, facts: &Facts, session: &Session, out: &mut Vec<Command>) {
    match &session.folder {
        None => {
            ui.label("Open a labelled folder first: FOLDER/<label>/<files>, one folder per family.");
            command_button_as(ui, facts, Button::new("Choose a folder…"), Command::OpenFolder, out);
        }
        Some(folder) => {
            ui.horizontal_wrapped(|ui| {
                ui.label(heading(format!("Train on {}", escape::file_name(&folder.path))))
                    .on_hover_text(escape::path(&folder.path));
                ui.weak(format!(
                    "{} files of {} labels, read as {}",
                    folder.set.samples.len(),
                    folder.labels,
                    folder.set.spec.kind
                ));
            });
        }
    }
}

/// Draws the settings of the next training.
fn settings_ui(ui: &mut Ui, view: &mut View) {
    let kept = &mut view.kept;
    Grid::new("training-settings").num_columns(2).spacing([16.0, 6.0]).show(ui, |ui| {
        let label = ui.label("Epochs");
        ui.horizontal(|ui| {
            let field = DragValue::new(&mut kept.epochs)
                .range(0..=1000)
                .custom_formatter(|n, _| if n == 0.0 { "auto".to_owned() } else { format!("{n}") });
            ui.add(field).labelled_by(label.id).on_hover_text("0: as many as the folder needs");
            ui.weak("passes over the training files");
        });
        ui.end_row();

        ui.label("Batch normalisation");
        ui.horizontal(|ui| {
            for (norm, text, hint) in [
                (Norm::Batch, "with", "Learns in far fewer steps"),
                (Norm::None, "without", "Train mode and eval mode are the same"),
            ] {
                let radio = ui.radio_value(&mut kept.norm, norm, text).on_hover_text(hint);
                let (chosen, name) = (kept.norm == norm, format!("{text} batch normalisation"));
                radio.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, &name));
            }
        });
        ui.end_row();

        let label = ui.label("Statistics for eval mode");
        ui.add_enabled_ui(kept.norm == Norm::Batch, |ui| {
            let combo = ComboBox::from_id_salt("statistics")
                .width(280.0_f32.min((ui.available_width() - 12.0).max(120.0)))
                .selected_text(statistics_text(kept.statistics));
            let combo = combo.show_ui(ui, |ui| {
                for policy in
                    [StatisticsPolicy::Recompute, StatisticsPolicy::Moving, StatisticsPolicy::Average]
                {
                    ui.selectable_value(&mut kept.statistics, policy, statistics_text(policy));
                }
            });
            combo
                .response
                .labelled_by(label.id)
                .on_hover_text("Where the running mean and variance come from");
        });
        ui.end_row();

        let label = ui.label("Convention");
        ui.add_enabled_ui(kept.norm == Norm::Batch, |ui| {
            let shown = CONVENTIONS.get(kept.convention).map_or("", |convention| convention.name);
            let combo = ComboBox::from_id_salt("convention")
                .width(280.0_f32.min((ui.available_width() - 12.0).max(120.0)))
                .selected_text(shown);
            let combo = combo.show_ui(ui, |ui| {
                for (i, convention) in CONVENTIONS.iter().enumerate() {
                    let text = format!(
                        "{}: momentum {}, ε {}",
                        convention.name, convention.written, convention.epsilon
                    );
                    ui.selectable_value(&mut kept.convention, i, text).on_hover_text(convention.note);
                }
            });
            combo
                .response
                .labelled_by(label.id)
                .on_hover_text("The framework whose momentum, epsilon and variance estimate are used");
        });
        ui.end_row();

        let label = ui.label("Seed");
        ui.add(DragValue::new(&mut kept.seed))
            .labelled_by(label.id)
            .on_hover_text("The same seed gives the same model on the CPU");
        ui.end_row();
    });
}

/// A policy as an entry of the list.
fn statistics_text(policy: StatisticsPolicy) -> &'static str {
    match policy {
        StatisticsPolicy::Recompute => "recomputed with the final weights",
        StatisticsPolicy::Moving => "moving average over the batches",
        StatisticsPolicy::Average => "plain average over the batches",
    }
}

/// Draws the buttons to train and to add the folder without training.
fn buttons_ui(ui: &mut Ui, facts: &Facts, session: &Session, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        let text = if facts.training { "Training…" } else { Command::Train.about().text };
        let obstacle = Command::Train.obstacle(facts);
        let train = primary_button(ui, obstacle.is_none(), text);
        let train = match obstacle {
            Some(why) => train.on_disabled_hover_text(why),
            None => train.on_hover_text(Command::Train.about().hint),
        };
        if train.clicked() {
            out.push(Command::Train);
        }
        command_button(ui, facts, Command::Index, out);
    });
    if session.folder.is_some() {
        let library = escape::file_name(&session.library_path);
        ui.label(small(format!(
            "Training adds the files of the folder to the library {library}. It keeps its model until you use the new one."
        )));
    }
}

/// Draws the latest figures and the curves of accuracy and loss.
fn curves_ui(ui: &mut Ui, facts: &Facts, session: &Session) {
    let history = &session.history;
    if let Some(last) = history.last() {
        let recall = last.recall_at_1.map_or_else(|| "–".to_owned(), percent);
        ui.label(small(format!(
            "Epoch {:.1}, step {}: loss {:.3}, train mode {}, eval mode {}, recall@1 {recall}, after {:.0} s{}",
            last.epoch,
            last.step,
            last.loss,
            percent(last.train_mode_accuracy),
            percent(last.eval_mode_accuracy),
            last.seconds,
            measured_on(facts, session)
        )));
    }
    let tokens = Tokens::of(ui.visuals());
    let line = |name: &str, colour: Color32, style: LineStyle, value: &dyn Fn(&Epoch) -> Option<f64>| {
        let points: Vec<[f64; 2]> =
            history.iter().filter_map(|at| Some([at.step as f64, value(at)?])).collect();
        Line::new(name, PlotPoints::from(points)).color(colour).style(style).width(2.0)
    };
    let height = ((ui.available_height() - 70.0) / 2.0).clamp(150.0, 320.0);
    let plot = |id: &str, axis: &'static str| {
        Plot::new(id.to_owned())
            .height(height)
            .x_axis_label("step")
            .y_axis_label(axis)
            .allow_scroll(false)
            .allow_drag(false)
            .allow_zoom(false)
            .include_y(0.0)
    };
    ui.label(heading("Share of files classified correctly"));
    legend_ui(
        ui,
        &[
            (Mark::Solid, tokens.train_mode, "train mode"),
            (Mark::Dashed, tokens.eval_mode, "eval mode"),
            (Mark::Dotted, tokens.good, "recall@1, held out"),
        ],
    );
    let shown = plot("accuracy", "share").include_y(1.0).show(ui, |plot| {
        plot.line(line("train mode", tokens.train_mode, LineStyle::Solid, &|at| {
            Some(at.train_mode_accuracy)
        }));
        plot.line(line("eval mode", tokens.eval_mode, LineStyle::dashed_dense(), &|at| {
            Some(at.eval_mode_accuracy)
        }));
        plot.line(line("recall@1, held out", tokens.good, LineStyle::dotted_dense(), &|at| at.recall_at_1));
    });
    let name = |name| move || WidgetInfo::labeled(Role::Canvas, true, name);
    shown.response.widget_info(name("Chart of accuracy by step"));
    ui.label(heading("Loss"));
    let shown = plot("loss", "loss").show(ui, |plot| {
        plot.line(line("loss", tokens.unlike, LineStyle::Solid, &|at| Some(at.loss)));
    });
    shown.response.widget_info(name("Chart of the loss by step"));
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
