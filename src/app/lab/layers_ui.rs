//! Part 5: running statistics against pooled statistics, layer by layer and channel by channel.

use super::columns::{Column, ROW, head_ui, paint_row, said};
use super::parts::{beside, formula_ui, line, minus, name_plot, note_ui, number, percent, still_plot};
use super::scene::Scene;
use super::training_of_channel_ui::training_of_channel_ui;
use crate::app::lab_view::LabView;
use crate::app::list::List;
use crate::app::theme::{Tokens, heading, small};
use crate::batchnorm::moving_average::Errors;
use crate::batchnorm::{Channel, Condition, Layer, Report, initial_weight_in};
use crate::model::{Model, StatisticsSource};
use egui::Ui;
use egui_plot::{LineStyle, PlotPoints, Points};

/// Channels listed.
const LISTED: usize = 8;
/// The columns of the table of layers.
const LAYERS: [Column; 9] = [
    Column::text("layer", 0.9),
    Column::number("channels", "", 1.0),
    Column::number("batches", "Batches in the running statistics", 0.9),
    Column::number("mean error", "Root mean square over the channels, in standard deviations of each", 1.2),
    Column::number(
        "variance error",
        "Mean factor between running and pooled variance, in either direction",
        1.4,
    ),
    Column::number(
        "initial value",
        "Error due to the initial 1, whose weight is (1−m)^k; relative to the pooled variance",
        1.2,
    ),
    Column::number(
        "staleness",
        "Error due to earlier weights and to chance; relative to the pooled variance",
        1.1,
    ),
    Column::number("dead", "Channels whose input is constant", 0.7),
    Column::number("near ε", "Channels whose variance is so small that epsilon changes their scale", 0.8),
];
/// The columns of the table of channels.
const CHANNELS: [Column; 4] = [
    Column::text("channel", 1.0),
    Column::number("mean", "Running / pooled", 1.6),
    Column::number("variance", "Running / pooled", 1.5),
    Column::number("harm", "Root mean square change of its output between the modes", 0.7),
];

/// Draws the table of layers, the channels of the chosen layer, and the chosen channel.
pub fn layers_ui(ui: &mut Ui, model: &Model, report: &Report, view: &mut LabView) {
    view.layer = view.layer.min(report.layers.len().saturating_sub(1));
    layer_table_ui(ui, report, view);
    let Some(layer) = report.layers.get(view.layer) else { return };
    ui.add_space(8.0);
    let channel = chosen(layer, view).copied();
    let number = view.layer + 1;
    beside(
        ui,
        330.0,
        |ui| channel_table_ui(ui, layer, view),
        |ui| scatter_ui(ui, number, layer, channel.as_ref()),
    );
    if let Some(channel) = channel {
        channel_ui(ui, model, report, view.layer, &channel);
    }
}

/// The chosen channel, or the most harmful one.
pub fn chosen<'a>(layer: &'a Layer, view: &LabView) -> Option<&'a Channel> {
    match view.channel.and_then(|index| layer.channels.get(index)) {
        Some(channel) => Some(channel),
        None => layer.by_harm().first().copied(),
    }
}

/// Draws the layer and the channel that parts 5 and 7 are about, where the model in the lab was measured.
pub fn chosen_in<'a>(scene: &'a Scene<'_>, view: &LabView) -> Option<&'a Channel> {
    chosen(scene.lab.report()?.layers.get(view.layer)?, view)
}

/// Draws a row for each layer; a click or an arrow key chooses it.
fn layer_table_ui(ui: &mut Ui, report: &Report, view: &mut LabView) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        head_ui(ui, &LAYERS);
        let rows: Vec<Vec<String>> = report
            .layers
            .iter()
            .zip(&report.errors)
            .enumerate()
            .map(|(i, (layer, errors))| {
                vec![
                    (i + 1).to_string(),
                    layer.channels.len().to_string(),
                    layer.batches.to_string(),
                    format!("{:.2} sd", layer.mean_shift),
                    format!("× {:.2}", layer.log_ratio.exp()),
                    percent(errors.initial),
                    percent(errors.staleness),
                    layer.count(Condition::Dead).to_string(),
                    layer.count(Condition::NearEpsilon).to_string(),
                ]
            })
            .collect();
        let list = List::new("lab-layers", "Layers", ROW, rows.len()).chosen(Some(view.layer));
        let reply = list.show(ui, |ui, i, row| {
            let texts = rows.get(i).map(Vec::as_slice).unwrap_or_default();
            paint_row(ui, row.rect, &LAYERS, texts);
            said(&LAYERS, texts)
        });
        if let Some(layer) = reply.chosen {
            (view.layer, view.channel) = (layer, None);
        }
    });
}

/// Draws the most harmful channels of a layer, and those with another fault.
fn channel_table_ui(ui: &mut Ui, layer: &Layer, view: &mut LabView) {
    let by_harm: Vec<&Channel> = layer.by_harm();
    let shown = chosen(layer, view).map(|channel| channel.index);
    ui.label(heading(format!(
        "Layer {}: the most harmful of {} channels, running / pooled",
        view.layer + 1,
        by_harm.len()
    )));
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        head_ui(ui, &CHANNELS);
        let listed: Vec<&Channel> = by_harm.into_iter().take(LISTED).collect();
        let at = listed.iter().position(|channel| shown == Some(channel.index));
        let list = List::new("lab-channels", "Channels", ROW, listed.len()).chosen(at);
        let reply = list.show(ui, |ui, i, row| {
            let Some(channel) = listed.get(i) else { return String::new() };
            let pair = |i: usize| format!("{} / {}", number(channel.running[i]), number(channel.pooled[i]));
            let texts = [channel.index.to_string(), pair(0), pair(1), number(channel.harm)];
            paint_row(ui, row.rect, &CHANNELS, &texts);
            said(&CHANNELS, &texts)
        });
        if let Some(channel) = reply.chosen.and_then(|i| listed.get(i)) {
            view.channel = Some(channel.index);
        }
    });
    for (condition, text) in [
        (Condition::Dead, "Dead (constant input)"),
        (Condition::NearEpsilon, "Variance near epsilon"),
        (Condition::NotANumber, "Running statistics that are not numbers"),
    ] {
        let named: Vec<String> = layer
            .channels
            .iter()
            .filter(|channel| channel.condition == condition)
            .map(|channel| channel.index.to_string())
            .collect();
        if !named.is_empty() {
            let more = if named.len() > LISTED { ", …" } else { "" };
            let first = named.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
            ui.label(small(format!("{text}: channels {first}{more}")));
        }
    }
}

/// Draws running against pooled variance, both logarithmic. Channels on the line are correct.
fn scatter_ui(ui: &mut Ui, number: usize, layer: &Layer, chosen: Option<&Channel>) {
    let at = |channel: &Channel| {
        let [running, pooled] = [channel.running[1], channel.pooled[1]].map(|v| v.max(1e-9).log10());
        (running.is_finite()).then_some([pooled, running])
    };
    let points: Vec<[f64; 2]> = layer.channels.iter().filter_map(at).collect();
    let low = points.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let high = points.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    if !low.is_finite() {
        return;
    }
    let chosen: Vec<[f64; 2]> = chosen.and_then(at).into_iter().collect();
    ui.label(heading("Running variance against pooled variance"));
    let tokens = Tokens::of(ui.visuals());
    let shown = still_plot("lab-scatter", 210.0)
        .x_axis_label("pooled (power of ten)")
        .y_axis_label("running")
        .data_aspect(1.0)
        .show(ui, |plot| {
            let equal = vec![[low, low], [high, high]];
            plot.line(line("equal", tokens.train_mode, LineStyle::Solid, equal).allow_hover(false));
            let points =
                Points::new("channels", PlotPoints::from(points)).radius(2.5).color(tokens.eval_mode);
            plot.points(points.allow_hover(false));
            let chosen = Points::new("chosen", PlotPoints::from(chosen)).radius(6.0).filled(false);
            plot.points(chosen.color(tokens.text).allow_hover(false));
        });
    name_plot(&shown.response, &format!("Running against pooled variance of the channels of layer {number}"));
    ui.label(small("Channels on the line keep what is true; the ring is the chosen one."));
}

/// Draws the formulas of one channel with its numbers, and its statistics over the training.
fn channel_ui(ui: &mut Ui, model: &Model, report: &Report, layer: usize, channel: &Channel) {
    ui.add_space(8.0);
    ui.label(heading(format!("Layer {}, channel {}", layer + 1, channel.index)));
    let batches = report.layers.get(layer).map_or(0, |layer| layer.batches);
    let source = model.config.source();
    let weight = initial_weight_in(source, batches);
    let [running, pooled] = [channel.running[1], channel.pooled[1]];
    match source {
        StatisticsSource::Moving { momentum } => {
            let errors = Errors::new(running, pooled, 1.0, weight);
            formula_ui(
                ui,
                format!("weight of initial value  (1 − {momentum})^{batches} = {}", number(weight)),
            );
            formula_ui(
                ui,
                format!(
                    "running variance         {} = pooled {} + initial value {}·(1 − {}) = {} + staleness {}",
                    number(running),
                    number(pooled),
                    number(weight),
                    number(pooled),
                    number(errors.initial),
                    number(errors.staleness)
                ),
            );
        }
        StatisticsSource::Recomputed => {
            formula_ui(
                ui,
                format!(
                    "running variance         {} over {batches} batches with frozen weights; pooled {}",
                    number(running),
                    number(pooled)
                ),
            );
        }
        StatisticsSource::Average | StatisticsSource::Debiased { .. } => {
            formula_ui(
                ui,
                format!(
                    "running variance         {} without an initial value; pooled {}; staleness {}",
                    number(running),
                    number(pooled),
                    number(running - pooled)
                ),
            );
        }
    }
    let epsilon = number(model.network.epsilon());
    for (mode, [mean, variance]) in [("train", channel.pooled), ("eval", channel.running)] {
        let (name, mean, variance) = (format!("output in {mode} mode"), minus(mean), number(variance));
        formula_ui(ui, format!("{name:<24} γ·(x {mean})/√({variance} + {epsilon}) + β"));
    }
    match &model.trace {
        Some(trace) => training_of_channel_ui(ui, model, trace, layer, channel),
        None => note_ui(
            ui,
            "The batches of this model's training were not recorded, so its history cannot be shown.",
        ),
    }
}
