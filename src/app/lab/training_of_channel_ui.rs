//! How the statistics of one channel, and the errors of its layer, developed during the training.

use super::legend::{Mark, legend_ui};
use super::parts::{line, name_plot, still_plot};
use crate::app::theme::Tokens;
use crate::batchnorm::Channel;
use crate::batchnorm::moving_average::{Errors, errors_by_step};
use crate::model::{Model, StatisticsSource, Trace};
use egui::Ui;
use egui_plot::{LineStyle, PlotPoints, Points};

/// Height of a chart.
const HEIGHT: f32 = 190.0;

/// Draws the channel's mean and variance and the layer's errors over the training.
pub fn training_of_channel_ui(ui: &mut Ui, model: &Model, trace: &Trace, layer: usize, channel: &Channel) {
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
    let tokens = Tokens::of(ui.visuals());
    legend_ui(
        ui,
        &[
            (Mark::Solid, tokens.eval_mode, name.as_str()),
            (Mark::Dotted, tokens.train_mode, "pooled, with the weights of that step"),
            (Mark::Solid, tokens.warn, "error: initial value"),
            (Mark::Dashed, tokens.link, "error: staleness"),
        ],
    );
    let errors = errors_by_step(trace, layer, momentum, policy.running_variance);
    let statistic_ui = |ui: &mut Ui, i: usize, what: &str| {
        let series: Vec<[f64; 2]> = running.iter().enumerate().map(|(k, v)| [k as f64, v[i]]).collect();
        let pooled: Vec<[f64; 2]> = pooled_by_step.iter().map(|(step, v)| [*step as f64, v[i]]).collect();
        let plot =
            still_plot(&format!("lab-history-{what}"), HEIGHT).x_axis_label("batches").y_axis_label(what);
        let shown = plot.show(ui, |plot| {
            plot.line(line("running", tokens.eval_mode, LineStyle::Solid, series));
            plot.line(line("pooled", tokens.train_mode, LineStyle::dotted_dense(), pooled.clone()));
            let points = Points::new("pooled", PlotPoints::from(pooled));
            plot.points(points.radius(3.0).color(tokens.train_mode));
        });
        name_plot(&shown.response, &format!("Running and pooled {what} over the training"));
    };
    // Three in a row where there is room.
    let in_row = if ui.available_width() >= 780.0 { 3 } else { 1 };
    let charts = [0, 1, 2];
    for charts in charts.chunks(in_row) {
        ui.columns(in_row, |columns| {
            for (ui, chart) in columns.iter_mut().zip(charts) {
                match chart {
                    0 => statistic_ui(ui, 0, "mean"),
                    1 => statistic_ui(ui, 1, "variance"),
                    _ => errors_ui(ui, &errors),
                }
            }
        });
    }
}

/// Draws the layer's two errors over the training.
fn errors_ui(ui: &mut Ui, errors: &[(usize, Errors)]) {
    let of = |value: &dyn Fn(&Errors) -> f64| -> Vec<[f64; 2]> {
        errors.iter().map(|(step, errors)| [*step as f64, value(errors)]).collect()
    };
    let tokens = Tokens::of(ui.visuals());
    let shown = still_plot("lab-errors", HEIGHT)
        .x_axis_label("batches")
        .y_axis_label("errors / pooled variance")
        .include_y(0.0)
        .show(ui, |plot| {
            plot.line(line("initial value", tokens.warn, LineStyle::Solid, of(&|errors| errors.initial)));
            let stale = of(&|errors| errors.staleness);
            plot.line(line("staleness", tokens.link, LineStyle::dashed_dense(), stale));
        });
    name_plot(&shown.response, "The layer's two errors over the training");
}
