//! Training: from labelled pictures to a model.
//!
//! A tenth of the files is held out to measure recall. Batches are drawn label by label, so that a rare label
//! counts as much as a frequent one, in random views, and each file is pulled towards the prototype of its
//! label. At the end the batch-norm statistics are recomputed with the weights frozen, unless another policy
//! is chosen.

mod adamw;
mod calibrate;
mod calibrate_own;
mod checkpoint;
mod config;
mod labelled;
mod measure;
mod run;
mod sampler;
mod schedule;
mod sgd;
mod split;
mod start;
mod trainer;

pub use adamw::AdamW;

pub(crate) use calibrate::{Compared, calibrate, cosines};
pub(crate) use config::{Optimiser, Sampling, TrainConfig};
pub(crate) use labelled::Labelled;
pub(crate) use run::{continue_training, train, train_resumable};
pub(crate) use start::Start;
pub(crate) use trainer::{Trainer, model_config};
