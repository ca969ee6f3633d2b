//! `lookalike batchnorm`: compares train mode with eval mode, layer by layer.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::labels::LabelArgs;
use super::output;
use crate::batchnorm::{Channel, Condition, Layer, ModeFigures, Report, Severity};
use crate::escape;
use crate::job::Stop;
use crate::model::Model;
use crate::workflow::{measure, read_for};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Channels listed for each layer.
const NAMED: usize = 3;

/// Arguments of `batchnorm`.
#[derive(Debug, Args)]
pub struct BatchNormArgs {
    /// FOLDER/<label>/<files…>, with labels that the model was trained on
    folder: PathBuf,
    /// The model to measure; it is not changed
    #[arg(long, value_name = "M.safetensors")]
    model: PathBuf,
    /// Where the labels come from.
    #[command(flatten)]
    labels: LabelArgs,
    /// How archives are read.
    #[command(flatten)]
    archives: ArchiveArgs,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub fn run(args: BatchNormArgs) -> Result<(), Stop> {
    let (folder, path, reader) = (args.folder, args.model.clone(), args.archives.reader());
    let labelling = args.labels.labelling();
    let report = events::run(args.json, &mut Printed::default(), move |run| {
        let model = Model::load(&path)?;
        let folder = read_for(&model, &folder, labelling, &reader, run)?;
        measure(&model, &folder.set, run)
    })?;
    if args.json { print_json(&report) } else { print_text(&report, &escape::path(&args.model)) }
}

fn print_text(report: &Report, model: &str) -> Result<(), Stop> {
    let known = &report.known;
    let of = if known.of > known.files.len() { format!(" of {}", known.of) } else { String::new() };
    output::line(&format!(
        "{} files{of}, in train mode in batches of {}; same weights in both modes\n",
        known.files.len(),
        report.batch_size
    ))?;
    output::line("               accuracy      loss   recall@1")?;
    let row = |name: &str, mode: &ModeFigures, recall: f64| {
        output::line(&format!(
            "{name}   {:>7.1} % {:>9.3} {:>8.1} %",
            mode.accuracy() * 100.0,
            mode.loss,
            recall * 100.0
        ))
    };
    row("train mode", &report.compared.train, report.recall_at_1[0])?;
    row("eval mode ", &report.compared.eval, report.recall_at_1[1])?;
    output::line(&format!("\n{}", report.verdict.sentence))?;
    for (label, n) in &known.unknown {
        output::line(&format!(
            "The model does not know the label {}: its {} were skipped",
            escape::text(label),
            output::count(*n, "file")
        ))?;
    }
    if report.layers.is_empty() {
        return Ok(());
    }
    output::line("\nRunning statistics of each layer, compared with pooled statistics:")?;
    output::line(
        "layer  channels  batches mean error variance error   initial  staleness   dead  near epsilon",
    )?;
    for (i, (layer, errors)) in report.layers.iter().zip(&report.errors).enumerate() {
        output::line(&format!(
            "{:>5} {:>9} {:>8} {:>8.2} sd {:>12} {:>8.1} % {:>8.1} % {:>6} {:>13}",
            i + 1,
            layer.channels.len(),
            layer.batches,
            layer.mean_shift,
            format!("factor {:.2}", layer.log_ratio.exp()),
            errors.initial * 100.0,
            errors.staleness * 100.0,
            layer.count(Condition::Dead),
            layer.count(Condition::NearEpsilon)
        ))?;
    }
    output::line("\nMost harmful channels (root mean square change of the output between the modes):")?;
    for (i, layer) in report.layers.iter().enumerate() {
        let worst: Vec<String> = layer.by_harm().into_iter().take(NAMED).map(channel_text).collect();
        output::line(&format!("{:>5}  {}", i + 1, worst.join("; ")))?;
    }
    if report.verdict.severity >= Severity::Repair {
        output::line(&format!(
            "\nRepair it: lookalike batchnorm-repair --model {model} --stats recompute FOLDER --out REPAIRED.safetensors"
        ))?;
    }
    Ok(())
}

fn channel_text(channel: &Channel) -> String {
    let [mean, variance] = channel.pooled;
    let [kept_mean, kept_variance] = channel.running;
    format!(
        "channel {} {:.2}: mean {kept_mean:.3} for {mean:.3}, variance {kept_variance:.3} for {variance:.3}",
        channel.index, channel.harm
    )
}

fn print_json(report: &Report) -> Result<(), Stop> {
    let mode = |mode: &ModeFigures, recall: f64| json!({ "files": mode.files, "right": mode.correct, "accuracy": mode.accuracy(), "loss": mode.loss, "recall_at_1": recall });
    output::json(&json!({
        "event": "modes", "files": report.known.files.len(), "of": report.known.of,
        "batch_size": report.batch_size,
        "unknown_labels": report.known.unknown.iter().map(|(label, n)| json!({ "label": escape::text(label), "files": n })).collect::<Vec<Value>>(),
        "train_mode": mode(&report.compared.train, report.recall_at_1[0]),
        "eval_mode": mode(&report.compared.eval, report.recall_at_1[1]),
        "flips": report.compared.flips(),
        "severity": format!("{:?}", report.verdict.severity).to_lowercase(),
        "verdict": report.verdict.sentence,
    }))?;
    for (i, (layer, errors)) in report.layers.iter().zip(&report.errors).enumerate() {
        output::json(&layer_json(i, layer, errors.initial, errors.staleness))?;
    }
    Ok(())
}

fn layer_json(i: usize, layer: &Layer, start: f64, stale: f64) -> Value {
    let channels: Vec<Value> = layer
        .by_harm()
        .into_iter()
        .map(|c| {
            json!({
                "channel": c.index, "kept_mean": c.running[0], "kept_variance": c.running[1],
                "true_mean": c.pooled[0], "true_variance": c.pooled[1], "gamma": c.gamma,
                "distance": c.distance, "harm": c.harm,
                "condition": match c.condition {
                    Condition::Sound => "sound",
                    Condition::Dead => "dead",
                    Condition::NearEpsilon => "near epsilon",
                    Condition::NotANumber => "not a number",
                },
            })
        })
        .collect();
    json!({
        "event": "layer", "layer": i + 1, "batches": layer.batches, "log_variance_ratio": layer.log_ratio,
        "mean_off": layer.mean_shift, "distance": layer.distance, "gain": layer.gain,
        "start_error": start, "stale_error": stale, "channels": channels,
    })
}
