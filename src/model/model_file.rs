//! A model as one safetensors file: weights and kept statistics as tensors, everything else as
//! JSON in the metadata (key `lookalike`). <https://huggingface.co/docs/safetensors> The trace of its
//! training lies beside them ([`super::trace_file`]).
//!
//! A model is known by the SHA-256 of its file. Statistics are part of it, so a repaired model is
//! another model, and embeddings of the two are never mixed.

use super::config::{CONFIG_VERSION, ModelConfig};
use super::network::Network;
use super::trace::{LONGEST, Trace};
use super::trace_file;
use crate::picture::{PictureKind, PictureSpec};
use crate::sample::Sha256;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Key of the configuration in the file's metadata.
const KEY: &str = "lookalike";
/// A model file longer than this is not read: ours are about two megabytes.
const MAX_FILE: u64 = 1 << 30;
/// Largest values of a configuration that is believed.
const MAX_LAYERS: usize = 64;
const MAX_WIDTH: usize = 1 << 14;
const MAX_LABELS: usize = 1 << 20;

/// A model, ready to use.
pub struct Model {
    /// Everything but the weights.
    pub config: ModelConfig,
    /// The weights and kept statistics.
    pub network: Network,
    /// The statistics of each batch of its training, where they were recorded.
    pub trace: Option<Arc<Trace>>,
    /// SHA-256 of the file.
    pub hash: Sha256,
    /// The file, as it is stored.
    pub bytes: Vec<u8>,
}

/// Why a model could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The operating system refused.
    #[error("the model file could not be read or written: {error} ({path}). What was there before is unchanged; check that the folder exists, has free space, and is yours to write", path = crate::escape::path(.path))]
    Io {
        /// What it said.
        error: std::io::Error,
        /// The file.
        path: std::path::PathBuf,
    },
    /// Not one of ours, or damaged.
    #[error(
        "expected a model that Lookalike wrote, found {0}. Train one with `lookalike train`, or choose another file"
    )]
    Format(String),
    /// Written by a later program.
    #[error(
        "the model has format version {found}; this program reads up to {CONFIG_VERSION}. Update Lookalike, or train a new model"
    )]
    Version {
        /// What the file says.
        found: u32,
    },
    /// It gives no answers in eval mode.
    #[error(
        "the running statistics of batch-norm layer {layer} hold values that are not numbers, so in eval mode every answer would be none. Recompute them: `lookalike batchnorm-repair`, or Batch norm, Repair in the window"
    )]
    Broken {
        /// The first such layer, from 1.
        layer: usize,
    },
    /// The network itself.
    #[error("the network failed: {0}")]
    Network(#[from] candle_core::Error),
}

impl Model {
    /// Puts a finished network and its configuration together.
    pub fn new(config: ModelConfig, network: Network, trace: Option<Arc<Trace>>) -> Result<Self, ModelError> {
        let trace = trace.filter(|trace| (1..=LONGEST).contains(&trace.steps()));
        let bytes = serialize(&config, &network, trace.as_deref())?;
        Ok(Self { config, network, trace, hash: Sha256::of(&bytes), bytes })
    }

    /// The layers whose kept statistics are not numbers. Such a model answers nothing in eval mode
    /// until they are recomputed.
    pub fn broken_layers(&self) -> Vec<usize> {
        let kept = self.network.kept.iter().enumerate();
        kept.filter(|(_, kept)| !kept.is_finite()).map(|(layer, _)| layer).collect()
    }

    /// `Err` with what is to be done, where [`Self::broken_layers`] finds any.
    pub fn usable(&self) -> Result<(), ModelError> {
        match self.broken_layers().first() {
            None => Ok(()),
            Some(layer) => Err(ModelError::Broken { layer: layer + 1 }),
        }
    }

    /// Reads a model from the bytes of its file. Sizes are checked before anything is allocated
    /// for them; weights that are not numbers are refused. Kept statistics that are not numbers are
    /// not: they can be repaired.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ModelError> {
        let format = |error: &dyn std::fmt::Display| ModelError::Format(error.to_string());
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| format(&e))?;
        let json = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let json =
            json.ok_or_else(|| ModelError::Format("a safetensors file without its configuration".into()))?;
        let version: Version = serde_json::from_str(json).map_err(|e| format(&e))?;
        if version.version > CONFIG_VERSION {
            return Err(ModelError::Version { found: version.version });
        }
        let config: ModelConfig = serde_json::from_str(json).map_err(|e| format(&e))?;
        believable(&config)?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| format(&e))?;
        let network = Network::from_weights(&config, |name, shape| read_tensor(&tensors, name, shape))
            .map_err(|e| format(&e))?;
        let trace = trace_file::read(&config, |name| stored(&tensors, name));
        Ok(Self { config, network, trace: trace.map(Arc::new), hash: Sha256::of(&bytes), bytes })
    }

    /// Reads a model file.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let io = |error| ModelError::Io { error, path: path.to_owned() };
        let metadata = std::fs::metadata(path).map_err(io)?;
        if !metadata.is_file() || metadata.len() > MAX_FILE {
            return Err(ModelError::Format("something other than a file of at most 1 GiB".into()));
        }
        Self::from_bytes(std::fs::read(path).map_err(io)?)
    }

    /// Writes the model file: to a neighbouring file first, which then takes its place, so that a
    /// full disk or a crash leaves the old one whole.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        crate::whole_file::write_whole(path, &self.bytes)
            .map_err(|error| ModelError::Io { error, path: path.to_owned() })
    }
}

#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

fn believable(config: &ModelConfig) -> Result<(), ModelError> {
    let widths = config.convolutions.iter().all(|(f, s)| (1..=MAX_WIDTH).contains(f) && (1..=8).contains(s));
    let fits = widths
        && config.convolutions.len() <= MAX_LAYERS
        && (1..=MAX_WIDTH).contains(&config.embedding)
        && (1..=MAX_LABELS).contains(&config.labels.len())
        && match config.picture.kind {
            PictureKind::Bytes => config.picture == PictureSpec::BYTES,
            PictureKind::Image => (8..=1024).contains(&config.picture.side),
        }
        && config.batch_norm.epsilon > 0.0;
    if fits { Ok(()) } else { Err(ModelError::Format("a configuration with sizes out of range".into())) }
}

fn read_tensor(tensors: &SafeTensors<'_>, name: &str, shape: &[usize]) -> candle_core::Result<Tensor> {
    let fail = |what: String| candle_core::Error::Msg(format!("tensor {name}: {what}"));
    let view = tensors.tensor(name).map_err(|e| fail(e.to_string()))?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        return Err(fail(format!("expected f32 {shape:?}, found {:?} {:?}", view.dtype(), view.shape())));
    }
    let values = numbers(view.data());
    if values.iter().any(|v| !v.is_finite()) && !name.contains(".kept_") {
        return Err(fail("values that are not numbers".into()));
    }
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// Shape and numbers of a tensor that may be there.
fn stored(tensors: &SafeTensors<'_>, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
    let view = tensors.tensor(name).ok()?;
    (view.dtype() == Dtype::F32).then(|| (view.shape().to_vec(), numbers(view.data())))
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn serialize(config: &ModelConfig, network: &Network, trace: Option<&Trace>) -> Result<Vec<u8>, ModelError> {
    let mut config = config.clone();
    // How long it took is no part of a model: the same training makes the same file.
    let training = &mut config.training;
    training.history.iter_mut().chain([&mut training.result]).for_each(|point| point.seconds = 0.0);
    let json = serde_json::to_string(&config).map_err(|e| ModelError::Format(e.to_string()))?;
    let to_bytes = |values: Vec<f32>| values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
    let mut owned = Vec::new();
    for (name, tensor) in network.tensors()? {
        owned.push((name, tensor.dims().to_vec(), to_bytes(tensor.flatten_all()?.to_vec1()?)));
    }
    if let Some(trace) = trace {
        let tensors = trace_file::tensors(trace).into_iter();
        owned.extend(tensors.map(|(name, shape, values)| (name, shape, to_bytes(values))));
    }
    let mut views = Vec::new();
    for (name, shape, bytes) in &owned {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes)
            .map_err(|e| ModelError::Format(e.to_string()))?;
        views.push((name.as_str(), view));
    }
    let metadata = HashMap::from([(KEY.to_owned(), json)]);
    safetensors::serialize(views, Some(metadata)).map_err(|e| ModelError::Format(e.to_string()))
}
