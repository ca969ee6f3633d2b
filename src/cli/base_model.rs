//! `lookalike base-model`: makes the base model. For developers.

use super::events::{self, Printed};
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::model::{Model, Norm};
use crate::reading::Reader;
use crate::training::TrainConfig;
use crate::workflow::{make_base_model, make_image_base_model};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `base-model`.
#[derive(Debug, Args)]
pub struct BaseModelArgs {
    /// The corpus that assets/base/fetch.py made
    corpus: PathBuf,
    /// Where to write the model
    #[arg(long, value_name = "OUT.safetensors")]
    out: PathBuf,
    /// Passes over the files
    #[arg(long, default_value_t = 12.0)]
    epochs: f64,
    /// Train without batch normalisation
    #[arg(long)]
    no_batch_norm: bool,
    /// Take the network of this model instead of training one: what is learned beside it is made again
    #[arg(long, value_name = "M.safetensors")]
    network_of: Option<PathBuf>,
    /// Make the base model for images: the corpus is that of assets/base/images.py
    #[arg(long)]
    images: bool,
    /// For images: let the perceptual hash count for the probability too
    #[arg(long, requires = "images")]
    with_hash: bool,
    /// Seed of all randomness
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Makes the model and writes it.
pub fn run(args: BaseModelArgs) -> Result<(), Stop> {
    let config = TrainConfig {
        epochs: Some(args.epochs),
        norm: if args.no_batch_norm { Norm::None } else { Norm::Batch },
        seed: args.seed,
        ..TrainConfig::default()
    };
    let corpus = args.corpus;
    let network = args.network_of.as_deref().map(Model::load).transpose()?;
    let model = events::run(false, &mut Printed::default(), move |run| {
        let reader = Reader::of_this_program();
        if args.images {
            return make_image_base_model(&corpus, args.with_hash, &reader, run);
        }
        make_base_model(&corpus, &config, network, &reader, run)
    })?;
    model.save(&args.out)?;
    output::line(&format!("The base model is in {}", escape::path(&args.out)))
}
