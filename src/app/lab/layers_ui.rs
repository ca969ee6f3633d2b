//! Part 2: running statistics against pooled statistics, layer by layer and channel by channel, and how they
//! developed during training.

use super::parts::{
    COMPARED, POOLED, RUNNING, formula_ui, line, minus, name_plot, number, percent, still_plot, wide_ui,
};
use super::scene::Scene;
use crate::app::lab_view::LabView;
use crate::app::theme::Tokens;
use crate::batchnorm::moving_average::{Errors, errors_by_step};
use crate::batchnorm::{Channel, Condition, Layer, Report, initial_weight_in};
use crate::model::{Model, Norm, StatisticsSource};
use egui::{Grid, RichText, Ui};
use egui_plot::{LineStyle, PlotPoints, Points};

/// Channels listed.
const LISTED: usize = 8;

/// Draws the table of layers, the channels of the chosen layer, and the chosen channel.
pub fn layers_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView) {
    let Some(model) = &scene.lab.model else {
        ui.weak("Needs a model with batch normalisation.");
        return;
    };
    if model.config.norm == Norm::None {
        ui.label("This model has no batch normalisation, so it has no running statistics. Parts 4 and 6 show what batch normalisation would do.");
        return;
    }
    let Some(report) = scene.lab.report() else {
        ui.weak("Shown once part 1 is measured.");
        return;
    };
    view.layer = view.layer.min(report.layers.len().saturating_sub(1));
    layer_table_ui(ui, report, view);
    let Some(layer) = report.layers.get(view.layer) else { return };
    ui.add_space(6.0);
    ui.columns(2, |columns| {
        let [left, right] = columns else { return };
        wide_ui(left, "lab-channels-wide", |ui| channel_table_ui(ui, layer, view));
        scatter_ui(right, layer, view);
    });
    let chosen = chosen(layer, view);
    if let Some(channel) = chosen {
        channel_ui(ui, model, report, view.layer, channel);
    }
}

/// The chosen channel, or the most harmful one.
pub fn chosen<'a>(layer: &'a Layer, view: &LabView) -> Option<&'a Channel> {
    match view.channel.and_then(|index| layer.channels.get(index)) {
        Some(channel) => Some(channel),
        None => layer.by_harm().first().copied(),
    }
}

/// Draws the table of layers in a box that scrolls sideways.
fn layer_table_ui(ui: &mut Ui, report: &Report, view: &mut LabView) {
    wide_ui(ui, "lab-layers-wide", |ui| layer_grid_ui(ui, report, view));
}

/// Draws a row for each layer; a click chooses it.
fn layer_grid_ui(ui: &mut Ui, report: &Report, view: &mut LabView) {
    Grid::new("lab-layers").num_columns(9).spacing([16.0, 5.0]).striped(true).show(ui, |ui| {
        for (head, hint) in [
            ("layer", "In order from the file to the embedding"),
            ("channels", ""),
            ("batches", "Batches in the running statistics"),
            ("mean error", "Root mean square over the channels, in standard deviations of each"),
            ("variance error", "Mean factor between running and pooled variance, in either direction"),
            (
                "initial value",
                "Error due to the initial 1, whose weight is (1−m)^k; relative to the pooled variance",
            ),
            ("staleness", "Error due to earlier weights and to chance; relative to the pooled variance"),
            ("dead", "Channels whose input is constant"),
            ("near ε", "Channels whose variance is so small that epsilon changes their scale"),
        ] {
            let label = ui.weak(head);
            if !hint.is_empty() {
                label.on_hover_text(hint);
            }
        }
        ui.end_row();
        for (i, (layer, errors)) in report.layers.iter().zip(&report.errors).enumerate() {
            let name = format!("Layer {}", i + 1);
            if ui.selectable_label(view.layer == i, name).on_hover_text("Shows its channels").clicked() {
                view.layer = i;
                view.channel = None;
            }
            ui.label(layer.channels.len().to_string());
            ui.label(layer.batches.to_string());
            ui.label(format!("{:.2} sd", layer.mean_shift));
            ui.label(RichText::new(format!("× {:.2}", layer.log_ratio.exp())).strong());
            ui.label(percent(errors.initial));
            ui.label(percent(errors.staleness));
            ui.label(layer.count(Condition::Dead).to_string());
            ui.label(layer.count(Condition::NearEpsilon).to_string());
            ui.end_row();
        }
    });
}

/// Draws the most harmful channels of a layer, and those with another fault.
fn channel_table_ui(ui: &mut Ui, layer: &Layer, view: &mut LabView) {
    let by_harm = layer.by_harm();
    let shown = chosen(layer, view).map(|channel| channel.index);
    ui.strong(format!("Most harmful of {} channels: running / pooled", by_harm.len()));
    Grid::new("lab-channels").num_columns(4).spacing([9.0, 4.0]).striped(true).show(ui, |ui| {
        for head in ["", "mean", "variance", "harm"] {
            ui.weak(head);
        }
        ui.end_row();
        for channel in by_harm.into_iter().take(LISTED) {
            let name = format!("Channel {}", channel.index);
            if ui.selectable_label(shown == Some(channel.index), name).clicked() {
                view.channel = Some(channel.index);
            }
            let pair = |i: usize| format!("{} / {}", number(channel.running[i]), number(channel.pooled[i]));
            ui.label(pair(0));
            ui.label(pair(1));
            ui.label(number(channel.harm)).on_hover_text(format!("Distance {}", number(channel.distance)));
            ui.end_row();
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
            ui.weak(format!("{text}: channels {first}{more}"));
        }
    }
}

/// Draws running against pooled variance, both logarithmic. Channels on the line are correct.
fn scatter_ui(ui: &mut Ui, layer: &Layer, view: &LabView) {
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
    let chosen: Vec<[f64; 2]> = chosen(layer, view).and_then(at).into_iter().collect();
    ui.strong("Running variance against pooled variance");
    let tokens = Tokens::of(ui.visuals());
    let shown = still_plot("lab-scatter", 200.0)
        .x_axis_label("pooled (power of ten)")
        .y_axis_label("running")
        .data_aspect(1.0)
        .show(ui, |plot| {
            plot.line(
                line("equal", POOLED, LineStyle::Solid, vec![[low, low], [high, high]]).allow_hover(false),
            );
            let points = Points::new("channels", PlotPoints::from(points)).radius(2.5).color(RUNNING);
            plot.points(points.allow_hover(false));
            let chosen = Points::new("chosen", PlotPoints::from(chosen)).radius(6.0).filled(false);
            plot.points(chosen.color(tokens.accent).allow_hover(false));
        });
    name_plot(&shown.response, "Running against pooled variance of the layer's channels");
}

/// Draws the formulas of one channel with its numbers, and its statistics over the training.
fn channel_ui(ui: &mut Ui, model: &Model, report: &Report, layer: usize, channel: &Channel) {
    ui.add_space(6.0);
    ui.strong(format!("Layer {}, channel {}", layer + 1, channel.index));
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
    formula_ui(
        ui,
        format!(
            "output in train mode     γ·(x {})/√({} + {}) + β",
            minus(channel.pooled[0]),
            number(pooled),
            number(model.network.epsilon())
        ),
    );
    formula_ui(
        ui,
        format!(
            "output in eval mode      γ·(x {})/√({} + {}) + β",
            minus(channel.running[0]),
            number(running),
            number(model.network.epsilon())
        ),
    );
    history_ui(ui, model, layer, channel);
}

/// Draws the channel's mean and variance and the layer's errors over the training.
fn history_ui(ui: &mut Ui, model: &Model, layer: usize, channel: &Channel) {
    let Some(trace) = &model.trace else {
        ui.weak("The batches of this model's training were not recorded, so its history cannot be shown.");
        return;
    };
    let policy = &model.config.batch_norm;
    let (momentum, name) = match model.config.source() {
        StatisticsSource::Average => (None, "running: plain average".to_owned()),
        StatisticsSource::Moving { momentum } | StatisticsSource::Debiased { momentum } => {
            (Some(momentum), format!("running: moving average, m = {momentum}"))
        }
        StatisticsSource::Recomputed => {
            (Some(policy.momentum), format!("a moving average would be, m = {}", policy.momentum))
        }
    };
    let running = trace.replay_channel(layer, channel.index, momentum, policy.running_variance);
    let pooled_by_step: Vec<(usize, [f64; 2])> = trace
        .pooled
        .iter()
        .filter_map(|(step, layers)| {
            let layer = layers.get(layer)?;
            let at = |v: &[f32]| v.get(channel.index).map(|v| f64::from(*v));
            Some((*step, [at(&layer.mean)?, at(&layer.variance)?]))
        })
        .collect();
    ui.horizontal_wrapped(|ui| {
        ui.colored_label(RUNNING, format!("— {name}"));
        ui.colored_label(POOLED, "∙∙ pooled, with the weights of that step");
        ui.colored_label(RUNNING, "— error: initial value");
        ui.colored_label(COMPARED, "- - error: staleness");
    });
    ui.columns(3, |columns| {
        let Some((last, columns)) = columns.split_last_mut() else { return };
        errors_ui(last, &errors_by_step(trace, layer, momentum, policy.running_variance));
        for (i, (ui, what)) in columns.iter_mut().zip(["mean", "variance"]).enumerate() {
            let series: Vec<[f64; 2]> = running.iter().enumerate().map(|(k, v)| [k as f64, v[i]]).collect();
            let pooled: Vec<[f64; 2]> = pooled_by_step.iter().map(|(step, v)| [*step as f64, v[i]]).collect();
            let shown = still_plot(&format!("lab-history-{what}"), 190.0)
                .x_axis_label("batches")
                .y_axis_label(what)
                .show(ui, |plot| {
                    plot.line(line(&name, RUNNING, LineStyle::Solid, series));
                    plot.line(line(
                        "pooled, weights of that step",
                        POOLED,
                        LineStyle::dotted_dense(),
                        pooled.clone(),
                    ));
                    // The same name: one entry in the legend for both.
                    let points = Points::new("pooled, weights of that step", PlotPoints::from(pooled));
                    plot.points(points.radius(3.0).color(POOLED));
                });
            name_plot(&shown.response, &format!("Running and pooled {what} over the training"));
        }
    });
}

/// Draws the layer's two errors over the training.
fn errors_ui(ui: &mut Ui, errors: &[(usize, Errors)]) {
    let of = |value: &dyn Fn(&Errors) -> f64| -> Vec<[f64; 2]> {
        errors.iter().map(|(step, errors)| [*step as f64, value(errors)]).collect()
    };
    let shown = still_plot("lab-errors", 190.0)
        .x_axis_label("batches")
        .y_axis_label("errors / pooled variance")
        .include_y(0.0)
        .show(ui, |plot| {
            plot.line(line("initial value", RUNNING, LineStyle::Solid, of(&|errors| errors.initial)));
            plot.line(line("staleness", COMPARED, LineStyle::dashed_dense(), of(&|errors| errors.staleness)));
        });
    name_plot(&shown.response, "The layer's two errors over the training");
}
