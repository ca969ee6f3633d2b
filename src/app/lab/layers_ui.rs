//! Part 2: what each layer keeps against the whole set, channel by channel, and how it came about.

use super::parts::{
    KEPT, TRUTH, WITH, formula_ui, line, minus, name_plot, number, percent, still_plot, wide_ui,
};
use super::scene::Scene;
use crate::app::lab_view::LabView;
use crate::app::theme::QUERIED;
use crate::batchnorm::moving_average::{Errors, errors_by_step};
use crate::batchnorm::{Channel, Condition, Layer, Report, initial_weight_in};
use crate::model::{Model, Norm, StatisticsSource};
use egui::{Grid, RichText, Ui};
use egui_plot::{LineStyle, PlotPoints, Points};

/// Channels listed.
const LISTED: usize = 8;

/// Draws the part.
pub fn layers_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView) {
    let Some(model) = &scene.lab.model else {
        ui.weak("Needs a model with batch normalisation.");
        return;
    };
    if model.config.norm == Norm::None {
        ui.label("This model has no batch normalisation, so no layer keeps anything. Parts 4 and 6 show what it would be like with it.");
        return;
    }
    let Some(report) = scene.lab.report() else {
        ui.weak("Comes with part 1.");
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

/// The chosen channel, or the most harmful.
pub fn chosen<'a>(layer: &'a Layer, view: &LabView) -> Option<&'a Channel> {
    match view.channel.and_then(|index| layer.channels.get(index)) {
        Some(channel) => Some(channel),
        None => layer.by_harm().first().copied(),
    }
}

fn layer_table_ui(ui: &mut Ui, report: &Report, view: &mut LabView) {
    wide_ui(ui, "lab-layers-wide", |ui| layer_grid_ui(ui, report, view));
}

fn layer_grid_ui(ui: &mut Ui, report: &Report, view: &mut LabView) {
    Grid::new("lab-layers").num_columns(9).spacing([16.0, 5.0]).striped(true).show(ui, |ui| {
        for (head, hint) in [
            ("layer", "From the file to the embedding"),
            ("channels", ""),
            ("batches", "Batches in what it keeps"),
            ("mean off", "Root mean square, in deviations of each channel"),
            ("variance off", "Mean factor between kept and true variance, either way"),
            (
                "left of the start",
                "Of the true variance: what the initial 1 adds to it, (1−m)^k of it is left",
            ),
            ("staleness", "Of the true variance: statistics of weights that have since changed, and chance"),
            ("dead", "Channels whose input is the same everywhere"),
            ("near ε", "Channels whose variance is so small that epsilon takes part of the scale"),
        ] {
            let label = ui.weak(head);
            if !hint.is_empty() {
                label.on_hover_text(hint);
            }
        }
        ui.end_row();
        for (i, (layer, errors)) in report.layers.iter().zip(&report.errors).enumerate() {
            let name = format!("Layer {}", i + 1);
            if ui.selectable_label(view.layer == i, name).on_hover_text("Look at its channels").clicked() {
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

fn channel_table_ui(ui: &mut Ui, layer: &Layer, view: &mut LabView) {
    let by_harm = layer.by_harm();
    let shown = chosen(layer, view).map(|channel| channel.index);
    ui.strong(format!("Most harmful of {} channels: kept / true", by_harm.len()));
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
        (Condition::Dead, "Dead, their input is constant"),
        (Condition::NearEpsilon, "Variance near epsilon"),
        (Condition::NotANumber, "What they keep is not a number"),
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

/// Kept variance over true variance, both logarithmic: on the line all is well.
fn scatter_ui(ui: &mut Ui, layer: &Layer, view: &LabView) {
    let at = |channel: &Channel| {
        let [kept, truth] = [channel.running[1], channel.pooled[1]].map(|v| v.max(1e-9).log10());
        (kept.is_finite()).then_some([truth, kept])
    };
    let points: Vec<[f64; 2]> = layer.channels.iter().filter_map(at).collect();
    let low = points.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let high = points.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    if !low.is_finite() {
        return;
    }
    let chosen: Vec<[f64; 2]> = chosen(layer, view).and_then(at).into_iter().collect();
    ui.strong("Kept variance against true variance");
    let shown = still_plot("lab-scatter", 200.0)
        .x_axis_label("true (power of ten)")
        .y_axis_label("kept")
        .data_aspect(1.0)
        .show(ui, |plot| {
            plot.line(
                line("equal", TRUTH, LineStyle::Solid, vec![[low, low], [high, high]]).allow_hover(false),
            );
            let points = Points::new("channels", PlotPoints::from(points)).radius(2.5).color(KEPT);
            plot.points(points.allow_hover(false));
            let chosen = Points::new("chosen", PlotPoints::from(chosen)).radius(6.0).filled(false);
            plot.points(chosen.color(QUERIED).allow_hover(false));
        });
    name_plot(&shown.response, "Kept against true variance of the layer's channels");
}

/// One channel: the formula with its numbers, and what it kept over the steps of the training.
fn channel_ui(ui: &mut Ui, model: &Model, report: &Report, layer: usize, channel: &Channel) {
    ui.add_space(6.0);
    ui.strong(format!("Layer {}, channel {}", layer + 1, channel.index));
    let batches = report.layers.get(layer).map_or(0, |layer| layer.batches);
    let source = model.config.source();
    let weight = initial_weight_in(source, batches);
    let [kept, truth] = [channel.running[1], channel.pooled[1]];
    match source {
        StatisticsSource::Moving { momentum } => {
            let errors = Errors::new(kept, truth, 1.0, weight);
            formula_ui(ui, format!("weight of the start   (1 − {momentum})^{batches} = {}", number(weight)));
            formula_ui(
                ui,
                format!(
                    "kept variance         {} = true {} + start {}·(1 − {}) = {} + stale {}",
                    number(kept),
                    number(truth),
                    number(weight),
                    number(truth),
                    number(errors.initial),
                    number(errors.staleness)
                ),
            );
        }
        StatisticsSource::Recomputed => {
            formula_ui(
                ui,
                format!(
                    "kept variance {} over {batches} batches with frozen weights; true {}",
                    number(kept),
                    number(truth)
                ),
            );
        }
        StatisticsSource::Average | StatisticsSource::Debiased { .. } => {
            formula_ui(
                ui,
                format!(
                    "kept variance {} without any start; true {}; stale {}",
                    number(kept),
                    number(truth),
                    number(kept - truth)
                ),
            );
        }
    }
    formula_ui(
        ui,
        format!(
            "output in train mode  γ·(x {})/√({} + {}) + β",
            minus(channel.pooled[0]),
            number(truth),
            number(model.network.epsilon())
        ),
    );
    formula_ui(
        ui,
        format!(
            "output in eval mode   γ·(x {})/√({} + {}) + β",
            minus(channel.running[0]),
            number(kept),
            number(model.network.epsilon())
        ),
    );
    history_ui(ui, model, layer, channel);
}

fn history_ui(ui: &mut Ui, model: &Model, layer: usize, channel: &Channel) {
    let Some(trace) = &model.trace else {
        ui.weak(
            "The batches of this model's training were not recorded, so how it came about cannot be shown.",
        );
        return;
    };
    let policy = &model.config.batch_norm;
    let (momentum, name) = match model.config.source() {
        StatisticsSource::Average => (None, "kept: plain average".to_owned()),
        StatisticsSource::Moving { momentum } | StatisticsSource::Debiased { momentum } => {
            (Some(momentum), format!("kept: moving average, m = {momentum}"))
        }
        StatisticsSource::Recomputed => {
            (Some(policy.momentum), format!("a moving average would have kept, m = {}", policy.momentum))
        }
    };
    let kept = trace.replay_channel(layer, channel.index, momentum, policy.running_variance);
    let truths: Vec<(usize, [f64; 2])> = trace
        .pooled
        .iter()
        .filter_map(|(step, layers)| {
            let layer = layers.get(layer)?;
            let at = |v: &[f32]| v.get(channel.index).map(|v| f64::from(*v));
            Some((*step, [at(&layer.mean)?, at(&layer.variance)?]))
        })
        .collect();
    ui.horizontal_wrapped(|ui| {
        ui.colored_label(KEPT, format!("— {name}"));
        ui.colored_label(TRUTH, "∙∙ true, with the weights of that moment");
        ui.colored_label(KEPT, "— error: start");
        ui.colored_label(WITH, "- - error: staleness");
    });
    ui.columns(3, |columns| {
        let Some((last, columns)) = columns.split_last_mut() else { return };
        errors_ui(last, &errors_by_step(trace, layer, momentum, policy.running_variance));
        for (i, (ui, what)) in columns.iter_mut().zip(["mean", "variance"]).enumerate() {
            let series: Vec<[f64; 2]> = kept.iter().enumerate().map(|(k, v)| [k as f64, v[i]]).collect();
            let truth: Vec<[f64; 2]> = truths.iter().map(|(step, v)| [*step as f64, v[i]]).collect();
            let shown = still_plot(&format!("lab-history-{what}"), 190.0)
                .x_axis_label("batches")
                .y_axis_label(what)
                .show(ui, |plot| {
                    plot.line(line(&name, KEPT, LineStyle::Solid, series));
                    plot.line(line(
                        "true, weights of that moment",
                        TRUTH,
                        LineStyle::dotted_dense(),
                        truth.clone(),
                    ));
                    // The same name: one entry in the legend for both.
                    let points = Points::new("true, weights of that moment", PlotPoints::from(truth));
                    plot.points(points.radius(3.0).color(TRUTH));
                });
            name_plot(&shown.response, &format!("Kept and true {what} over the training"));
        }
    });
}

/// The layer's two errors apart, step by step.
fn errors_ui(ui: &mut Ui, errors: &[(usize, Errors)]) {
    let of = |value: &dyn Fn(&Errors) -> f64| -> Vec<[f64; 2]> {
        errors.iter().map(|(step, errors)| [*step as f64, value(errors)]).collect()
    };
    let shown = still_plot("lab-errors", 190.0)
        .x_axis_label("batches")
        .y_axis_label("errors / true variance")
        .include_y(0.0)
        .show(ui, |plot| {
            plot.line(line("left of the start", KEPT, LineStyle::Solid, of(&|errors| errors.initial)));
            plot.line(line("staleness", WITH, LineStyle::dashed_dense(), of(&|errors| errors.staleness)));
        });
    name_plot(&shown.response, "The layer's two errors over the training");
}
