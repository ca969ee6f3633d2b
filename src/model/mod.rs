//! The network: a small convolutional network that turns a picture into a unit vector.
//!
//! Activations are kept channels-last, `[batch][row][column][channel]`, so that convolution is one
//! matrix product and batch normalisation runs along contiguous memory. The heavy layers are
//! candle custom operations with their own backward passes; the rest is plain candle.

mod batch_norm;
mod by_candle;
mod config;
mod convention;
mod convolution;
mod embed;
mod embedder;
mod lesson;
mod matmul;
mod model_file;
mod network;
mod norm_loops;
mod objective;
mod processor;
#[cfg(test)]
mod testing;
mod trace;
mod trace_file;

pub use batch_norm::{BatchStatistics, KeptStatistics, Normalise, norm_relu};
pub use config::{
    BatchNormPolicy, CONFIG_VERSION, Epoch, Head, Init, KeptVariance, ModelConfig, Norm, RepairRecord,
    StatisticsPolicy, StatisticsSource, TrainingSummary,
};
pub use convention::{CANDLE, CONVENTIONS, Convention, FLAX, KERAS, PYTORCH};
pub use convolution::conv3x3;
pub use embed::{Embeddings, embed, picture_batch};
pub use embedder::Embedder;
pub use lesson::Lesson;
pub use model_file::{Model, ModelError};
pub use network::{Forward, Mode, Network, NetworkState};
pub use objective::{MARGIN, SCALE, objective};
pub use processor::{Choice, Processor};
pub use trace::Trace;
