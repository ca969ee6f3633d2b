//! Part 7: sliders for the moving average, whose effect is shown at once.

use super::layers_ui::chosen_in;
use super::legend::{Mark, legend_ui};
use super::parts::{formula_ui, line, name_plot, number, still_plot};
use super::scene::Scene;
use crate::app::command::Command;
use crate::app::command_ui::command_button;
use crate::app::lab_command::LabCommand;
use crate::app::lab_view::LabView;
use crate::app::theme::{Tokens, heading};
use crate::batchnorm::Repair;
use crate::batchnorm::moving_average::{batches_until, half_life, initial_weight};
use crate::model::{CONVENTIONS, RunningVariance};
use egui::{ComboBox, Grid, Slider, Ui};
use egui_plot::{LineStyle, VLine};

/// The pooled variance of the curve without a model: typical of a first layer.
const EXAMPLE: f64 = 0.09;
/// Below this weight the initial value is forgotten.
const FORGOTTEN: f64 = 0.01;
/// Points of a curve.
const POINTS: u64 = 200;

/// Draws the sliders, the figures that follow from them, and the curve.
pub fn try_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView, out: &mut Vec<Command>) {
    sliders_ui(ui, view);
    figures_ui(ui, scene, view);
    curve_ui(ui, scene, view);
    let command = Command::Lab(LabCommand::Repair(Repair::Momentum(view.momentum)));
    if command_button(ui, scene.facts, command, out).clicked() {
        view.jump = Some(4);
    }
}

/// Draws the sliders and the choice of a convention.
fn sliders_ui(ui: &mut Ui, view: &mut LabView) {
    Grid::new("lab-sliders").num_columns(2).spacing([16.0, 6.0]).show(ui, |ui| {
        let label = ui.label("Convention");
        let text = view.convention.and_then(|i| CONVENTIONS.get(i)).map_or("custom", |c| c.name);
        ui.horizontal(|ui| {
            let combo = ComboBox::from_id_salt("lab-convention").selected_text(text).show_ui(ui, |ui| {
                for (i, convention) in CONVENTIONS.iter().enumerate() {
                    let name = format!("{} ({})", convention.name, convention.written);
                    if ui
                        .selectable_label(view.convention == Some(i), name)
                        .on_hover_text(convention.note)
                        .clicked()
                    {
                        view.convention = Some(i);
                        view.momentum = convention.momentum;
                    }
                }
            });
            combo.response.labelled_by(label.id);
            if let Some(convention) = view.convention.and_then(|i| CONVENTIONS.get(i)) {
                let variance = match convention.running_variance {
                    RunningVariance::Unbiased => "unbiased",
                    RunningVariance::Biased => "biased",
                };
                ui.weak(format!("ε {}, {variance} running variance", convention.epsilon));
            }
        });
        ui.end_row();
        let label = ui.label("Momentum m");
        ui.horizontal(|ui| {
            let slider = Slider::new(&mut view.momentum, 0.001..=1.0).logarithmic(true);
            if ui.add(slider).labelled_by(label.id).changed() {
                view.convention = None;
            }
            ui.weak(format!("TensorFlow, Keras, Flax and ONNX write {:.3}", 1.0 - view.momentum));
        });
        ui.end_row();
        let label = ui.label("Batches seen k");
        ui.add(Slider::new(&mut view.batches, 1..=2000).logarithmic(true)).labelled_by(label.id);
        ui.end_row();
        let label = ui.label("Files per batch");
        ui.add(Slider::new(&mut view.batch_size, 2..=512).logarithmic(true)).labelled_by(label.id);
        ui.end_row();
    });
}

/// Draws what follows from the sliders.
fn figures_ui(ui: &mut Ui, scene: &Scene<'_>, view: &LabView) {
    let (m, k) = (view.momentum, view.batches);
    let weight = initial_weight(Some(m), k);
    let forgotten = batches_until(FORGOTTEN, m).unwrap_or(u64::MAX);
    let files = scene.folder().map_or(0, |folder| folder.set.samples.len());
    let epochs = if files > 0 {
        let epochs = forgotten as f64 * f64::from(view.batch_size) / files as f64;
        format!(", {epochs:.1} epochs of {files} files")
    } else {
        String::new()
    };
    formula_ui(ui, format!("weight of initial value  (1 − {m:.3})^{k} = {}", number(weight)));
    formula_ui(
        ui,
        format!("below 1 % after          ln 0.01 / ln(1 − {m:.3}) = {forgotten} batches{epochs}"),
    );
    formula_ui(ui, format!("half-life of a batch     {:.1} batches", half_life(m)));
    formula_ui(
        ui,
        format!(
            "noise of the mean        √(m/(2−m)) / √{} = {} sd, if a file is one value",
            view.batch_size,
            number((m / (2.0 - m)).sqrt() / f64::from(view.batch_size).sqrt())
        ),
    );
}

/// Draws the running variance of one channel: with the slider's momentum, and in this model.
fn curve_ui(ui: &mut Ui, scene: &Scene<'_>, view: &LabView) {
    let channel = chosen_in(scene, view);
    let pooled = channel.map_or(EXAMPLE, |channel| channel.pooled[1]);
    let model = scene.lab.model.as_ref();
    let own = model.and_then(|model| {
        let (trace, channel) = (model.trace.as_ref()?, channel?);
        let policy = &model.config.batch_norm;
        let replay = |m: f64| {
            let running = trace.replay_channel(view.layer, channel.index, Some(m), policy.running_variance);
            running.iter().enumerate().map(|(k, v)| [k as f64, v[1]]).collect::<Vec<_>>()
        };
        Some((replay(policy.momentum), policy.momentum, replay(view.momentum)))
    });
    let longest = own.as_ref().map_or(0, |(own, _, _)| own.len() as u64).max(view.batches + view.batches / 4);
    // The curve of the formula, with a constant pooled variance.
    let formula: Vec<[f64; 2]> = (0..=POINTS)
        .map(|i| {
            let k = i * longest / POINTS;
            [k as f64, pooled + initial_weight(Some(view.momentum), k) * (1.0 - pooled)]
        })
        .collect();
    ui.label(heading(match channel {
        Some(channel) => format!("Running variance of layer {}, channel {}", view.layer + 1, channel.index),
        None => "Running variance of a channel whose pooled variance is 0.09".to_owned(),
    }));
    let tokens = Tokens::of(ui.visuals());
    let (alike, on_own) = (
        format!("m = {:.3}, if the batches were all alike", view.momentum),
        format!("m = {:.3}, on this model's batches", view.momentum),
    );
    let this = own.as_ref().map(|(_, momentum, _)| format!("this model, m = {momentum}"));
    let mut entries = vec![
        (Mark::Dashed, tokens.accent, alike.as_str()),
        (Mark::Dotted, tokens.train_mode, "pooled, final weights"),
    ];
    if let Some(this) = &this {
        entries.push((Mark::Solid, tokens.accent, on_own.as_str()));
        entries.push((Mark::Solid, tokens.eval_mode, this.as_str()));
    }
    legend_ui(ui, &entries);
    let shown = still_plot("lab-try", 220.0)
        .x_axis_label("batches")
        .y_axis_label("running variance")
        .include_y(0.0)
        .include_y(1.0)
        .show(ui, |plot| {
            plot.line(line(&alike, tokens.accent, LineStyle::dashed_dense(), formula));
            let ends = vec![[0.0, pooled], [longest as f64, pooled]];
            plot.line(line("pooled, final weights", tokens.train_mode, LineStyle::dotted_dense(), ends));
            if let (Some((own, _, replayed)), Some(this)) = (own, &this) {
                plot.line(line(&on_own, tokens.accent, LineStyle::Solid, replayed));
                plot.line(line(this, tokens.eval_mode, LineStyle::Solid, own));
            }
            plot.vline(VLine::new("k", view.batches as f64).color(tokens.link).width(1.0));
        });
    name_plot(&shown.response, "Running variance by batches seen");
}
