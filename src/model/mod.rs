//! The network: a small convolutional network that turns a picture into a unit vector.
//!
//! Activations are kept channels-last, `[batch][row][column][channel]`, so that convolution is one
//! matrix product and batch normalisation runs along contiguous memory. The heavy layers are
//! candle custom operations with their own backward passes; the rest is plain candle.

mod batch_norm;
mod config;
mod convolution;
mod embed;
mod matmul;
mod model_file;
mod network;

pub use batch_norm::{BatchStatistics, KeptStatistics, Normalise, norm_relu};
pub use config::{
    BatchNormPolicy, CONFIG_VERSION, Epoch, ModelConfig, Norm, StatisticsPolicy, TrainingSummary,
};
pub use convolution::conv3x3;
pub use embed::{Embeddings, embed, picture_batch};
pub use model_file::{Model, ModelError};
pub use network::{Forward, Mode, Network};
