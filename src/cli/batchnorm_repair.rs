//! `lookalike batchnorm-repair`: gives a model other running statistics, as a new model.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::labels::LabelArgs;
use super::output;
use crate::batchnorm::Repair;
use crate::escape;
use crate::job::Stop;
use crate::model::Model;
use crate::workflow::{knows_labels, measure, read_for, recompute_statistics, repair_model};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `batchnorm-repair`.
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// FOLDER/<label>/<files…>: the files the statistics are computed over, or measured on. To recompute them, files need no labels
    folder: PathBuf,
    /// The model to repair; it is not changed
    #[arg(long, value_name = "M.safetensors")]
    model: PathBuf,
    /// Where the new statistics come from
    #[arg(long, value_enum, default_value_t = WayArg::Recompute)]
    stats: WayArg,
    /// The model file to write
    #[arg(long, value_name = "M2.safetensors")]
    out: PathBuf,
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WayArg {
    /// Over the folder, with the weights frozen
    Recompute,
    /// The plain average over the batches of its training
    Average,
    /// The moving average without the initial 0 and 1: needs no files
    Debias,
}

/// Repairs, writes, and prints the accuracy before and after.
pub fn run(args: RepairArgs) -> Result<(), Stop> {
    let how = match args.stats {
        WayArg::Recompute => Repair::Recompute,
        WayArg::Average => Repair::Average,
        WayArg::Debias => Repair::Debias,
    };
    let (folder, model, out) = (args.folder, args.model, args.out.clone());
    let labelling = args.labels.labelling();
    let reader = args.archives.reader();
    let repaired = events::run(args.json, &mut Printed::default(), move |run| {
        let model = Model::load(&model)?;
        let folder = read_for(&model, &folder, labelling, &reader, run)?;
        let repaired = if how == Repair::Recompute && !knows_labels(&model, &folder.set) {
            recompute_statistics(&model, &folder.set, run)?
        } else {
            let before = measure(&model, &folder.set, run)?;
            repair_model(&model, how, &folder.set, &before, run)?.model
        };
        repaired.save(&out)?;
        Ok(repaired)
    })?;
    let Some(record) = repaired.config.repairs.last() else {
        return Ok(());
    };
    if args.json {
        return output::json(&json!({
            "event": "done", "model": args.out.to_string_lossy(), "sha256": repaired.hash.to_string(), "repair": record,
        }));
    }
    let files = output::count(record.files, "file");
    let measured = match (record.eval_mode_accuracy_before, record.eval_mode_accuracy_after) {
        (Some(before), Some(after)) => {
            format!(
                "Eval mode on {files}: {:.1} % before, {:.1} % after ({})",
                before * 100.0,
                after * 100.0,
                record.what
            )
        }
        _ => format!("{files}, none with a label that the model knows: not measured ({})", record.what),
    };
    output::line(&format!(
        "{measured}. The repaired model is in {}. It is another model: index your folders again with it, since old and new embeddings cannot be compared",
        escape::path(&args.out)
    ))
}
