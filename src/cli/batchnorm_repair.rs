//! `lookalike batchnorm-repair`: other statistics for the same weights, as a new model.

use super::passwords::PasswordArgs;
use super::{output, watch};
use crate::batchnorm::Repair;
use crate::escape;
use crate::job::Stop;
use crate::model::Model;
use crate::workflow::{read_for, repair_set};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `batchnorm-repair`.
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// FOLDER/<label>/<files…>: what the statistics are computed over, or measured on
    folder: PathBuf,
    /// The model to repair; it is not changed
    #[arg(long, value_name = "M.safetensors")]
    model: PathBuf,
    /// Where its new statistics come from
    #[arg(long, value_enum, default_value_t = WayArg::Recompute)]
    stats: WayArg,
    /// Where to write the repaired model
    #[arg(long, value_name = "M2.safetensors")]
    out: PathBuf,
    /// Of encrypted archives.
    #[command(flatten)]
    passwords: PasswordArgs,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WayArg {
    /// Over the folder, with the weights frozen
    Recompute,
    /// The plain average over the batches of its training
    Average,
    /// The moving average without the initial 0 and 1: needs no files
    Debias,
}

/// Repairs, writes, and tells before and after.
pub fn run(args: RepairArgs) -> Result<(), Stop> {
    let how = match args.stats {
        WayArg::Recompute => Repair::Recompute,
        WayArg::Average => Repair::Average,
        WayArg::Debias => Repair::Debias,
    };
    let (folder, model, out) = (args.folder, args.model, args.out.clone());
    let reader = args.passwords.reader();
    let (repaired, skipped) = watch::run(move |reporter| {
        let model = Model::load(&model)?;
        let (set, skipped) = read_for(&model, &folder, &reader, reporter)?;
        let repaired = repair_set(&model, how, &set, reporter)?;
        repaired.save(&out)?;
        Ok((repaired, skipped))
    })?;
    output::skipped(&skipped, args.json)?;
    let Some(record) = repaired.config.repairs.last() else {
        return Ok(());
    };
    if args.json {
        return output::json(&json!({
            "event": "done", "model": escape::path(&args.out), "sha256": repaired.hash.to_string(), "repair": record,
        }));
    }
    output::line(&format!(
        "Eval mode on {}: {:.1} % before, {:.1} % after ({}). The repaired model is in {}. It is another model: index your folders anew with it, since old and new vectors cannot be compared",
        output::count(record.files, "file"),
        record.eval_mode_accuracy_before * 100.0,
        record.eval_mode_accuracy_after * 100.0,
        record.what,
        escape::path(&args.out)
    ))
}
