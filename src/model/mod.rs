//! The network: a small convolutional network that turns a picture into a unit vector, and the file that
//! holds a trained one.
//!
//! Activations are channels-last, `[batch][row][column][channel]`, so that a convolution is one matrix
//! product and batch normalisation runs along contiguous memory. The heavy layers are candle custom
//! operations with their own backward passes; the rest is plain candle.

mod backward;
mod base;
mod batch_norm;
mod calibration;
mod candle_kernels;
mod config;
mod convention;
mod convolution;
mod depthwise;
mod device_embedder;
mod embed;
mod embedder;
mod embeddings;
mod file_header;
mod folded;
mod geometry;
mod kernels;
mod layer;
mod layer_shift;
mod layered;
mod matmul;
mod model_file;
mod network;
mod norm_loops;
mod objective;
mod pooling;
mod processor;
mod published;
mod slices;
mod start_from;
mod statistics;
mod stored_weights;
mod tensor_ops;
#[cfg(test)]
mod testing;
mod trace;
mod trace_file;

pub use base::{base_model, base_views_hash, is_base_model};
pub use calibration::{Calibration, Cosines, RISING, VIEWS, ViewWeights};
pub use config::{Init, ModelConfig, Norm, StoredWeights};
pub use embed::{embed, embed_with_shifts};
pub use embedder::Embedder;
pub use embeddings::Embeddings;
pub use layer::{Activation, Layer, LayerKind};
pub use model_file::Model;
pub use network::Network;

pub(crate) use config::{
    BatchNormPolicy, COMPARED, Epoch, Head, RepairRecord, RunningVariance, StatisticsPolicy,
    StatisticsSource, TrainingSummary,
};
pub(crate) use convention::{CANDLE, CONVENTIONS, FLAX, KERAS, PYTORCH};
pub(crate) use embed::picture_batch;
pub(crate) use file_header::header_end;
pub(crate) use matmul::{Matrix, matmul};
pub(crate) use model_file::{ModelError, read_config, views_hash};
pub(crate) use network::{Forward, Mode, NetworkState};
pub(crate) use processor::{Choice, Processor};
pub(crate) use published::Published;
pub(crate) use statistics::{BatchStatistics, RunningStatistics};
pub(crate) use trace::Trace;
