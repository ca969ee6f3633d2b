//! The lab before there is anything to show, and while a model is trained for it.

use super::legend::{Mark, legend_ui};
use super::parts::{card_ui, line, name_plot, note_ui, percent, still_plot, text_ui};
use super::repair_ui::primary_ui;
use super::scene::Scene;
use super::why;
use crate::app::command::Command;
use crate::app::command_ui::command_button_as;
use crate::app::lab_command::LabCommand;
use crate::app::theme::{Tokens, heading, icon, small, title};
use crate::batchnorm::moving_average::initial_weight;
use crate::escape;
use egui::{Button, RichText, Ui, vec2};
use egui_plot::{LineStyle, PlotPoint, Points, Text};

/// Width of the page, at most.
const PAGE: f32 = 860.0;
/// The example: batches, momentum, and the true variance, as on the digits.
const BATCHES: u64 = 40;
const MOMENTA: [f64; 2] = [0.01, 0.1];
const TRUE: f64 = 0.008;

/// Draws the question that the lesson answers, its picture, and the ways to begin.
pub fn begin_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Vec<Command>) {
    ui.add_space((ui.available_height() * 0.06).min(40.0));
    ui.vertical(|ui| {
        ui.set_max_width(ui.available_width().min(PAGE));
        ui.add(egui::Label::new(title("Why does a network answer wrongly about files that it has learnt?")).wrap());
        text_ui(ui, "A batch-norm layer keeps a running mean and variance for later. After a short training they are still close to the 0 and 1 that they started with: train mode is right, eval mode is wrong, on the very same files. This lab measures that on a model, shows the cause in its own numbers, and repairs it.");
        ui.add_space(8.0);
        let wide = ui.available_width() >= 660.0;
        if wide {
            ui.horizontal_top(|ui| {
                let width = ui.available_width() - 290.0;
                ui.allocate_ui(vec2(width, 250.0), curve_ui);
                ui.add_space(8.0);
                ui.vertical(|ui| ways_ui(ui, scene, out));
            });
        } else {
            ways_ui(ui, scene, out);
            curve_ui(ui);
        }
        ui.add_space(8.0);
        article_ui(ui);
    });
}

/// Draws the ways to begin.
fn ways_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Vec<Command>) {
    let trainable = scene.facts.lab.folder_labels.is_some_and(|labels| labels >= 2);
    let digits = LabCommand::Digits;
    ui.add_space(12.0);
    if let Some(obstacle) = &scene.lab.obstacle {
        let tokens = Tokens::of(ui.visuals());
        ui.add(
            egui::Label::new(RichText::new(format!("{} {obstacle}", icon::WARNING)).color(tokens.warn))
                .wrap(),
        );
        ui.add_space(8.0);
    }
    if let Some(folder) = scene.folder().filter(|_| trainable) {
        primary_ui(ui, scene, LabCommand::Article, out);
        note_ui(
            ui,
            &format!(
                "Trains a small network on {} to see it fail. The model is shown here only: your library is not touched.",
                escape::file_name(&folder.path)
            ),
        );
        ui.add_space(8.0);
        let button = Button::new(digits.about().text).min_size(vec2(0.0, 28.0));
        command_button_as(ui, scene.facts, button, Command::Lab(digits), out);
    } else {
        primary_ui(ui, scene, digits, out);
    }
    note_ui(
        ui,
        "Trains a small network on 1,438 images in front of you, about a minute. Your library is not touched.",
    );
    ui.add_space(8.0);
    let button = Button::new("Open a labelled folder…").min_size(vec2(0.0, 28.0));
    command_button_as(ui, scene.facts, button, Command::OpenFolder, out);
    let text = match (&scene.lab.model, scene.folder()) {
        (Some(_), None) => "To measure the library's model: open the folder that it was trained on.",
        (None, Some(_)) => "To see it fail on other files.",
        _ => "To measure a model of your own.",
    };
    note_ui(ui, text);
}

/// Draws what a layer keeps of the start, batch by batch, with two momenta.
fn curve_ui(ui: &mut Ui) {
    let tokens = Tokens::of(ui.visuals());
    let last = BATCHES + BATCHES / 2;
    let kept = |momentum: f64, k: u64| TRUE + initial_weight(Some(momentum), k) * (1.0 - TRUE);
    let [slow, fast] = MOMENTA.map(|m| (0..=last).map(|k| [k as f64, kept(m, k)]).collect::<Vec<[f64; 2]>>());
    let at = [BATCHES as f64, kept(MOMENTA[0], BATCHES)];
    card_ui(ui, None, |ui| {
        let shown = still_plot("lab-begin", 210.0)
            .x_axis_label("batches")
            .include_y(0.0)
            .include_y(1.1)
            .show_grid(false)
            .y_axis_min_width(30.0)
            .show(ui, |plot| {
                plot.line(line("slow", tokens.eval_mode, LineStyle::dashed_dense(), slow));
                plot.line(line("fast", tokens.link, LineStyle::Solid, fast));
                let truth = vec![[0.0, TRUE], [last as f64, TRUE]];
                plot.line(line("true", tokens.train_mode, LineStyle::Solid, truth));
                plot.points(Points::new("after forty", vec![at]).radius(4.5).color(tokens.eval_mode));
                let written = |x: f64, y: f64, text: String, colour| {
                    Text::new(text.clone(), PlotPoint::new(x, y), RichText::new(text).small()).color(colour)
                };
                let kept = format!("kept at momentum 0.01: {:.3} after {BATCHES} batches", at[1]);
                plot.text(written(41.0, 0.98, kept, tokens.eval_mode));
                plot.text(written(28.0, 0.27, "kept at momentum 0.1".to_owned(), tokens.text2));
                plot.text(written(52.0, 0.07, format!("true variance {TRUE}"), tokens.train_mode));
            });
        name_plot(&shown.response, "What a layer keeps of its start, by batches, at two momenta");
    });
}

/// Draws the name of the article with its link.
pub fn article_ui(ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        ui.weak(format!("After the article by HarfangLab, “{}”", why::ARTICLE));
        link_ui(ui, "Read it");
    });
}

/// Draws a link to the article. Nothing is opened before it is clicked.
pub fn link_ui(ui: &mut Ui, text: &str) {
    ui.hyperlink_to(text, why::ARTICLE_AT).on_hover_text(format!(
        "{}\n{}\nOpens in the browser",
        why::ARTICLE,
        why::ARTICLE_AT
    ));
}

/// Draws the curves of the training that runs for the lab.
pub fn working_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let watched = &scene.lab.watched;
    let points = watched.points();
    let tokens = Tokens::of(ui.visuals());
    card_ui(ui, Some(tokens.accent), |ui| {
        ui.set_width(ui.available_width());
        ui.add(egui::Label::new(title(format!("{}: training as in the article", watched.title))).wrap());
        let state = match points.last() {
            None => "The first point of the curves appears after a twelfth of the training.".to_owned(),
            Some(last) => format!(
                "After {} batches: train mode {}, eval mode {}, with the same weights.",
                last.step,
                percent(last.train_mode_accuracy),
                percent(last.eval_mode_accuracy)
            ),
        };
        text_ui(ui, &state);
        ui.add_space(4.0);
        ui.label(heading("Share of files classified correctly"));
        legend_ui(
            ui,
            &[(Mark::Solid, tokens.train_mode, "train mode"), (Mark::Dashed, tokens.eval_mode, "eval mode")],
        );
        let of = |value: &dyn Fn(usize) -> f64| -> Vec<[f64; 2]> {
            points.iter().enumerate().map(|(i, point)| [point.step as f64, value(i)]).collect()
        };
        let shown = still_plot("lab-watched", 240.0)
            .x_axis_label("batches")
            .include_x(0.0)
            .include_x(BATCHES as f64)
            .include_y(0.0)
            .include_y(1.0)
            .show(ui, |plot| {
                let train = of(&|i| points.get(i).map_or(0.0, |point| point.train_mode_accuracy));
                let eval = of(&|i| points.get(i).map_or(0.0, |point| point.eval_mode_accuracy));
                plot.line(line("train mode", tokens.train_mode, LineStyle::Solid, train));
                plot.line(line("eval mode", tokens.eval_mode, LineStyle::dashed_dense(), eval));
            });
        name_plot(&shown.response, "Chart of both modes while the model is trained");
        ui.label(small("The model is shown here only: no library is changed."));
    });
}
