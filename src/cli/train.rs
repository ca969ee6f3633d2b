//! `lookalike train`: from a labelled folder to a model file.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::labels::LabelArgs;
use super::library_models::print_if_not_in_use;
use super::{output, watch};
use crate::escape;
use crate::job::Stop;
use crate::library::{Adopt, Adopted};
use crate::model::{BatchNormPolicy, CANDLE, FLAX, KERAS, Norm, PYTORCH, StatisticsPolicy, base_model};
use crate::picture::PictureKind;
use crate::reading::Reader;
use crate::sample::Sha256;
use crate::training::TrainConfig;
use crate::workflow::{
    ChangedLibrary, Outputs, Pictures, read_folder, train_folder, training_summary, use_model,
};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// FOLDER/<label>/<files…>
    folder: PathBuf,
    /// The model file to write
    #[arg(long, value_name = "M.safetensors")]
    model: PathBuf,
    /// Also add the samples to this library; created if it does not exist
    #[arg(long, value_name = "L.lookalike")]
    library: Option<PathBuf>,
    /// Use the model for the library, also if it has other samples: they are read again
    #[arg(long, requires = "library")]
    use_model: bool,
    /// Passes over the training files [default: enough for the size of the set]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Files in a batch
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(2..=4096))]
    batch_size: u16,
    /// With or without batch normalisation
    #[arg(long, value_enum, default_value_t = NormArg::Batch)]
    norm: NormArg,
    /// What the training starts from. The base model makes it shorter, and the trained model also compares text and headers
    #[arg(long, value_enum, default_value_t = FromArg::Base)]
    from: FromArg,
    /// Momentum, epsilon and estimate of the variance as in this framework
    #[arg(long, value_enum, default_value_t = ConventionArg::Pytorch)]
    convention: ConventionArg,
    /// Weight of a new batch in the moving average, in PyTorch's convention: Keras' 0.99 is 0.01 here
    /// [default: that of --convention]
    #[arg(long, value_parser = share)]
    momentum: Option<f64>,
    /// Where the running statistics come from
    #[arg(long, value_enum, default_value_t = StatsArg::Recompute)]
    stats: StatsArg,
    /// Seed of all randomness
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads to compute with [default: all cores]
    #[arg(long, default_value_t = 0)]
    threads: usize,
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
enum NormArg {
    Batch,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FromArg {
    /// The base model; images start from random weights
    Base,
    /// Random weights
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StatsArg {
    /// Over the training files, after the training
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

/// Parses a weight above 0 and at most 1.
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

/// Trains; Ctrl-C keeps the best model so far. A training that was killed continues when it is started again.
pub fn run(args: TrainArgs) -> Result<(), Stop> {
    watch::use_threads(args.threads)?;
    let config = args.config();
    let base = if args.from == FromArg::Base { Some(base_model(PictureKind::Bytes)?) } else { None };
    let reader = args.archives.reader().with_views(base.as_ref().and_then(|base| base.views.clone()));
    let labelling = args.labels.labelling();
    let (folder, path, as_json) = (args.folder, args.model, args.json);
    let outputs = Outputs { model: Some(path.clone()), library: args.library, adopt: Adopt::IfComplete };
    let again = reader.clone();
    let trained = events::run(as_json, &mut Printed::default(), move |run| {
        let folder = read_folder(&folder, labelling, Pictures::Chosen, &reader, run)?;
        train_folder(&folder.set, &config, base.as_ref(), &outputs, run)
    });
    let trained = match trained {
        Err(Stop::Cancelled) => {
            return Err(Stop::failed("cancelled before there was a model; none was written"));
        }
        other => other?,
    };
    let (model, config, training) = (&trained.model, &trained.model.config, &trained.model.config.training);
    if !as_json {
        events::print_epoch(&training.result, false)?;
        output::line(&training_summary(config))?;
        output::line(&format!("The model is in {}", escape::path(&path)))?;
    }
    let adopted = trained
        .changed
        .map(|changed| in_library(changed, model.hash, args.use_model.then_some(again), as_json))
        .transpose()?;
    if as_json {
        return output::json(&json!({
            "event": "done", "model": path.to_string_lossy(), "sha256": model.hash.to_string(),
            "labels": config.labels, "files": training.files, "held_back": training.held_out,
            "steps": training.steps, "cancelled": training.cancelled, "result": training.result,
            "warning": crate::batchnorm::warning(config), "resumed_at": trained.resumed_at,
            "checkpoint_warning": trained.checkpoint_warning,
            "in_use": adopted.map(|adopted| adopted.in_use), "lacking": adopted.map(|adopted| adopted.lacking),
        }));
    }
    Ok(())
}

/// Says what the training added to its library. If the library keeps its model, the new one is used all the same with the reader
/// `again`, or how to use it is said.
fn in_library(
    changed: ChangedLibrary,
    model: Sha256,
    again: Option<Reader>,
    as_json: bool,
) -> Result<Adopted, Stop> {
    let ChangedLibrary { library, added, adopted, .. } = changed;
    if !as_json {
        output::line(&format!(
            "{} added to {}, {} already there",
            output::count(added.new, "sample"),
            library.location(),
            added.known
        ))?;
    }
    match again.filter(|_| !adopted.in_use) {
        Some(reader) => {
            let used = events::run(as_json, &mut Printed::default(), move |run| {
                use_model(library, model, &reader, run)
            })?;
            if !as_json {
                output::line(&used.summary())?;
            }
            Ok(Adopted { in_use: true, lacking: used.left_out, hidden: used.left_out })
        }
        None if as_json => Ok(adopted),
        None => print_if_not_in_use(adopted, model, &library.location().to_path()).map(|()| adopted),
    }
}
