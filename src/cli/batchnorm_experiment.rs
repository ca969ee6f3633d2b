//! `lookalike batchnorm-experiment`: trains with and without batch normalisation and measures both by step.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::labels::LabelArgs;
use super::train::share;
use super::{output, watch};
use crate::escape;
use crate::experiment::{Chart, Format, Policy, Row, Setup, experiment_csv, mean_over_seeds, render};
use crate::job::Stop;
use crate::model::Init;
use crate::training::Optimiser;
use crate::whole_file::save;
use crate::workflow::{Pictures, experiment, read_folder};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `batchnorm-experiment`. The defaults are those of the reference: for images 640 files,
/// batches of 64 and SGD with rate 0.05; for executables all files, batches of 128 and Adam with rate 0.003.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    /// FOLDER/<label>/<files…>
    folder: PathBuf,
    /// The table to write, with a row for each policy and step
    #[arg(long, value_name = "OUT.csv")]
    csv: PathBuf,
    /// Begin the table with a byte-order mark, so that Excel reads its letters right
    #[arg(long)]
    excel: bool,
    /// Also draw a chart, as PNG or SVG by the extension
    #[arg(long, value_name = "OUT.png|OUT.svg")]
    chart: Option<PathBuf>,
    /// Steps after which to measure, ascending
    #[arg(long, value_delimiter = ',')]
    steps: Vec<usize>,
    /// With batch normalisation, without, or both
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [NormArg::Batch, NormArg::None])]
    norm: Vec<NormArg>,
    /// Weights of a new batch in the moving average (PyTorch's convention; Keras' 0.99 is 0.01 here)
    #[arg(long, value_delimiter = ',', value_parser = share, default_values_t = [0.1, 0.01])]
    momentum: Vec<f64>,
    /// The statistics of eval mode: moving averages, the plain average, or both
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [StatsArg::Moving, StatsArg::Average])]
    stats: Vec<StatsArg>,
    /// Files drawn from the folder
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..))]
    files: Option<u32>,
    /// Files in a batch
    #[arg(long, value_parser = clap::value_parser!(u16).range(2..=4096))]
    batch_size: Option<u16>,
    /// The learning rate, the same at every step
    #[arg(long)]
    learning_rate: Option<f64>,
    /// The optimiser
    #[arg(long, value_enum)]
    optimiser: Option<OptimiserArg>,
    /// Seeds; the rows are the mean over them
    #[arg(long, value_delimiter = ',', default_values_t = [0_u64])]
    seeds: Vec<u64>,
    /// Threads to compute with [default: all cores]
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Where the labels come from.
    #[command(flatten)]
    labels: LabelArgs,
    /// How archives are read.
    #[command(flatten)]
    archives: ArchiveArgs,
    /// Print one JSON object per line, with a row for each seed as it is measured
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NormArg {
    Batch,
    /// Twice: with PyTorch's initial weights, and with He's, which suit it
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatsArg {
    Moving,
    Average,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OptimiserArg {
    Sgd,
    Adam,
    Adamw,
}

impl ExperimentArgs {
    fn setup(&self, reference: Setup) -> Result<Setup, Stop> {
        if !self.steps.is_sorted_by(|a, b| a < b) || self.steps.first() == Some(&0) {
            return Err(Stop::failed("expected --steps to be ascending numbers from 1, such as 10,20,40"));
        }
        let mut policies = Vec::new();
        if self.norm.contains(&NormArg::Batch) {
            if self.stats.contains(&StatsArg::Moving) {
                policies.extend(self.momentum.iter().map(|m| Policy::Moving(*m)));
            }
            if self.stats.contains(&StatsArg::Average) {
                policies.push(Policy::Average);
            }
        }
        if self.norm.contains(&NormArg::None) {
            policies.extend([Init::Default, Init::He].map(Policy::NoBatchNorm));
        }
        let rate = self.learning_rate.unwrap_or(reference.learning_rate);
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(Stop::failed(format!("expected a --learning-rate above 0, found {rate}")));
        }
        Ok(Setup {
            steps: if self.steps.is_empty() { reference.steps } else { self.steps.clone() },
            policies,
            seeds: self.seeds.clone(),
            files: self.files.map(|n| n as usize).or(reference.files),
            batch_size: self.batch_size.map_or(reference.batch_size, usize::from),
            learning_rate: rate,
            optimiser: match self.optimiser {
                None => reference.optimiser,
                Some(OptimiserArg::Sgd) => Optimiser::Sgd,
                Some(OptimiserArg::Adam) => Optimiser::Adam,
                Some(OptimiserArg::Adamw) => Optimiser::AdamW,
            },
            convolutions: reference.convolutions,
        })
    }
}

/// Trains, measures, and writes.
pub fn run(args: ExperimentArgs) -> Result<(), Stop> {
    watch::use_threads(args.threads)?;
    let (csv, chart, excel, as_json) = (args.csv.clone(), args.chart.clone(), args.excel, args.json);
    if let Some(chart) = &chart {
        Format::of(chart)?;
    }
    let rows = events::run(as_json, &mut Printed::default(), move |run| {
        let reader = args.archives.reader();
        let folder = read_folder(&args.folder, args.labels.labelling(), Pictures::Native, &reader, run)?;
        let setup = args.setup(Setup::reference(folder.set.spec))?;
        experiment(&folder.set, &setup, run)
    })?;
    let rows = mean_over_seeds(&rows);
    save(&csv, &output::table(experiment_csv(&rows), excel))?;
    if let Some(path) = &chart {
        save(path, &render(&Chart::new(&rows), Format::of(path)?)?)?;
    }
    if as_json {
        return output::json(&json!({ "event": "done", "csv": csv.to_string_lossy(), "rows": rows.len() }));
    }
    print_rows(&rows)?;
    output::line(&format!("Written to {}", escape::path(&csv)))
}

fn print_rows(rows: &[Row]) -> Result<(), Stop> {
    output::line(
        "policy                         step   train mode    eval mode   recomputed   recall@1 (train, eval)",
    )?;
    for row in rows {
        let [train, eval, recomputed] = row.modes;
        output::line(&format!(
            "{:<30} {:>4} {:>10.1} % {:>10.1} % {:>10.1} %   {:>9.3} {:>9.3}",
            row.policy.text(),
            row.step,
            train.accuracy * 100.0,
            eval.accuracy * 100.0,
            recomputed.accuracy * 100.0,
            train.recall_at_1,
            eval.recall_at_1
        ))?;
    }
    Ok(())
}
