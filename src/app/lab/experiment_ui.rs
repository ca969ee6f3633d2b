//! Part 8: accuracy by step on the folder in the lab, with and without batch normalisation.

use super::legend::{Mark, legend_ui};
use super::parts::{name_plot, still_plot};
use super::scene::Scene;
use crate::app::command::Command;
use crate::app::command_ui::command_button;
use crate::app::lab_command::LabCommand;
use crate::app::lab_view::LabView;
use crate::app::question::Purpose;
use crate::experiment::Setup;
use egui::{Color32, ComboBox, Grid, Ui};
use egui_plot::{GridMark, Line, LineStyle, PlotPoints};

/// Learning rates that are offered.
const RATES: [f64; 5] = [0.001, 0.003, 0.01, 0.05, 0.2];

/// Draws the settings, the buttons and the chart of the experiment.
pub fn experiment_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView, out: &mut Vec<Command>) {
    let Some(folder) = scene.folder() else {
        ui.weak("Needs a labelled folder with at least two labels.");
        return;
    };
    let reference = Setup::reference(folder.set.spec);
    Grid::new("lab-experiment").num_columns(2).spacing([16.0, 6.0]).show(ui, |ui| {
        let label = ui.label("Learning rate");
        let rate = view.learning_rate.unwrap_or(reference.learning_rate);
        let combo = ComboBox::from_id_salt("lab-rate").selected_text(rate.to_string()).show_ui(ui, |ui| {
            for offered in RATES {
                if ui.selectable_label(rate == offered, offered.to_string()).clicked() {
                    view.learning_rate = Some(offered);
                }
            }
        });
        combo.response.labelled_by(label.id).on_hover_text("The same at every step");
        ui.end_row();
        let label = ui.label("Steps");
        let last = view.steps.unwrap_or(reference.steps.last().copied().unwrap_or(0));
        let combo = ComboBox::from_id_salt("lab-steps").selected_text(last.to_string()).show_ui(ui, |ui| {
            for offered in &reference.steps {
                if ui.selectable_label(last == *offered, offered.to_string()).clicked() {
                    view.steps = Some(*offered);
                }
            }
        });
        combo.response.labelled_by(label.id).on_hover_text("Number of batches in each training");
        ui.end_row();
        let label = ui.label("Seeds");
        ui.add(egui::Slider::new(&mut view.seeds, 1..=5))
            .labelled_by(label.id)
            .on_hover_text("The results are averaged over this many trainings");
        ui.end_row();
    });
    ui.horizontal(|ui| {
        command_button(ui, scene.facts, Command::Lab(LabCommand::Experiment), out);
        command_button(ui, scene.facts, Command::Save(Purpose::ExperimentChart), out);
        command_button(ui, scene.facts, Command::Save(Purpose::ExperimentTable), out);
    });
    ui.weak(format!(
        "Trains three kinds of network on {} in batches of {}.",
        reference.files.map_or_else(|| "all files".to_owned(), |n| format!("up to {n} files")),
        reference.batch_size
    ));
    chart_ui(ui, scene);
}

/// Draws the chart and its legend.
fn chart_ui(ui: &mut Ui, scene: &Scene<'_>) {
    if scene.lab.chart.lines.is_empty() {
        ui.weak("The chart appears here: with batch norm in blue, without in pink; train mode solid, eval mode dashed.");
        return;
    }
    let step_text = |mark: GridMark, _: &std::ops::RangeInclusive<f64>| {
        let step = 10_f64.powf(mark.value);
        if (step - step.round()).abs() < 0.01 * step { format!("{step:.0}") } else { String::new() }
    };
    let shown = still_plot("lab-experiment-chart", 320.0)
        .x_axis_label("step (logarithmic)")
        .y_axis_label("share classified correctly")
        .x_axis_formatter(step_text)
        .include_y(0.0)
        .include_y(1.0)
        .show(ui, |plot| {
            for line in &scene.lab.chart.lines {
                let [r, g, b] = line.colour;
                let points: Vec<[f64; 2]> =
                    line.points.iter().map(|(step, share)| [step.max(1.0).log10(), *share]).collect();
                let style = if line.dashed { LineStyle::dashed_dense() } else { LineStyle::Solid };
                plot.line(
                    Line::new(line.name.clone(), PlotPoints::from(points))
                        .color(Color32::from_rgb(r, g, b))
                        .style(style)
                        .width(2.0),
                );
            }
        });
    let entries: Vec<(Mark, Color32, &str)> = scene
        .lab
        .chart
        .lines
        .iter()
        .map(|line| {
            let [r, g, b] = line.colour;
            let mark = if line.dashed { Mark::Dashed } else { Mark::Solid };
            (mark, Color32::from_rgb(r, g, b), line.name.as_str())
        })
        .collect();
    legend_ui(ui, &entries);
    name_plot(&shown.response, "Chart of accuracy by step, with and without batch norm");
}
