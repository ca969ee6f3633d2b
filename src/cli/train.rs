//! `lookalike train`: from a labelled folder to a model file.

use super::passwords::PasswordArgs;
use super::{output, watch};
use crate::batchnorm::warning;
use crate::escape;
use crate::job::Stop;
use crate::model::{BatchNormPolicy, CANDLE, Epoch, FLAX, KERAS, Norm, PYTORCH, StatisticsPolicy};
use crate::training::TrainConfig;
use crate::workflow::train_folder;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// FOLDER/<label>/<files…>
    folder: PathBuf,
    /// Where to write the model
    #[arg(long, value_name = "M.safetensors")]
    model: PathBuf,
    /// Passes over the training files [default: enough for the size of the set]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Files to a batch
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(2..=4096))]
    batch_size: u16,
    /// With or without batch normalisation
    #[arg(long, value_enum, default_value_t = NormArg::Batch)]
    norm: NormArg,
    /// Momentum, epsilon and kept variance as this framework has them
    #[arg(long, value_enum, default_value_t = ConventionArg::Pytorch)]
    convention: ConventionArg,
    /// Weight of a new batch in the moving average, whatever the convention: 0.1 is PyTorch's, and Keras'
    /// 0.99 is 0.01 here [default: the convention's]
    #[arg(long, value_parser = share)]
    momentum: Option<f64>,
    /// Where the statistics for eval mode come from
    #[arg(long, value_enum, default_value_t = StatsArg::Recompute)]
    stats: StatsArg,
    /// Seed of all randomness
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads to compute with [default: all cores]
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Of encrypted archives.
    #[command(flatten)]
    passwords: PasswordArgs,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NormArg {
    Batch,
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StatsArg {
    /// Over the training files once training is done
    Recompute,
    /// The moving average over the batches
    Moving,
    /// The plain average over the batches
    Average,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ConventionArg {
    Pytorch,
    Keras,
    Flax,
    Candle,
}

/// A weight above 0, at most 1.
pub fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1.0 => Ok(value),
        _ => Err("expected a number above 0, at most 1".into()),
    }
}

impl TrainArgs {
    fn config(&self) -> TrainConfig {
        let convention = match self.convention {
            ConventionArg::Pytorch => PYTORCH,
            ConventionArg::Keras => KERAS,
            ConventionArg::Flax => FLAX,
            ConventionArg::Candle => CANDLE,
        };
        let statistics = match self.stats {
            StatsArg::Recompute => StatisticsPolicy::Recompute,
            StatsArg::Moving => StatisticsPolicy::Moving,
            StatsArg::Average => StatisticsPolicy::Average,
        };
        TrainConfig {
            epochs: self.epochs.map(f64::from),
            batch_size: usize::from(self.batch_size),
            norm: match self.norm {
                NormArg::Batch => Norm::Batch,
                NormArg::None => Norm::None,
            },
            batch_norm: BatchNormPolicy {
                momentum: self.momentum.unwrap_or(convention.momentum),
                ..convention.apply(BatchNormPolicy { statistics, ..BatchNormPolicy::default() })
            },
            seed: self.seed,
            ..TrainConfig::default()
        }
    }
}

/// Trains; Ctrl-C keeps the best so far. A training that was killed goes on where it was when it is begun again.
pub fn run(args: TrainArgs) -> Result<(), Stop> {
    watch::use_threads(args.threads)?;
    let config = args.config();
    let reader = args.passwords.reader();
    let (folder, path, as_json) = (args.folder, args.model, args.json);
    let checkpoint = checkpoint_of(&path);
    if !as_json {
        output::line("  epoch    loss   train mode   eval mode   recall@1   time")?;
    }
    let done = watch::watch(
        move |reporter, news| {
            let mut done =
                train_folder(&folder, &config, &reader, &checkpoint, reporter, |epoch: &Epoch| {
                    // The receiver lives as long as this job.
                    let _ = news.send(*epoch);
                })?;
            done.trained.model.save(&path)?;
            let warning = done.trained.remove_checkpoint();
            Ok((done, path, warning))
        },
        |epoch| tell(&epoch, as_json),
    );
    let (done, path, warning_of_checkpoint) = match done {
        Err(Stop::Cancelled) => {
            return Err(Stop::Failed(
                "cancelled before there was anything to keep; no model was written".into(),
            ));
        }
        other => other?,
    };
    output::skipped(&done.skipped, as_json)?;
    let config = &done.trained.model.config;
    let training = &config.training;
    if as_json {
        return output::json(&json!({
            "event": "done", "model": escape::path(&path), "sha256": done.trained.model.hash.to_string(),
            "labels": config.labels, "files": training.files, "held_back": training.held_out,
            "steps": training.steps, "cancelled": training.cancelled, "result": training.result,
            "warning": warning(config), "resumed_at": done.trained.resumed_at,
            "checkpoint_warning": warning_of_checkpoint,
        }));
    }
    tell(&training.result, false)?;
    if let Some(step) = done.trained.resumed_at {
        output::line(&format!(
            "Went on from batch {step} of {}, where this training had been interrupted",
            training.steps
        ))?;
    }
    if let Some(why) = warning_of_checkpoint {
        output::line(&format!("Warning: the checkpoint {why}"))?;
    }
    if let Some(warning) = warning(config) {
        output::line(&format!(
            "Warning: {warning}: lookalike batchnorm-repair --model {} --stats recompute FOLDER --out REPAIRED.safetensors",
            escape::path(&path)
        ))?;
    }
    let begin = if training.cancelled { "Cancelled; the best model so far" } else { "Done: a model" };
    output::line(&format!(
        "{begin} of {} and {}, {} held back, is in {}",
        output::count(config.labels.len(), "label"),
        output::count(training.files, "file"),
        training.held_out,
        escape::path(&path)
    ))
}

/// Beside the model.
fn checkpoint_of(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".checkpoint");
    PathBuf::from(name)
}

fn tell(epoch: &Epoch, as_json: bool) -> Result<(), Stop> {
    if as_json {
        return output::json(&json!({ "event": "epoch", "measured": epoch }));
    }
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    output::line(&format!(
        "{:7.1} {:7.3} {:>12} {:>11} {:>10} {:>5.0} s",
        epoch.epoch,
        epoch.loss,
        percent(epoch.train_mode_accuracy),
        percent(epoch.eval_mode_accuracy),
        epoch.recall_at_1.map_or_else(|| "–".into(), percent),
        epoch.seconds
    ))
}
