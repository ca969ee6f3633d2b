//! A model as one safetensors file (<https://huggingface.co/docs/safetensors>): weights, running statistics
//! and the trace of its training ([`super::trace_file`]) as tensors, everything else as JSON in the metadata
//! (key `lookalike`).
//!
//! A model is identified by the SHA-256 of its file. Running statistics are part of it, so a repaired model
//! is another model, and embeddings of the two are never mixed.

use super::config::{CONFIG_VERSION, Head, ModelConfig, Norm, StoredWeights, first_plane_set};
use super::file_header::read_header;
use super::layer::fit_together;
use super::network::Network;
use super::stored_weights::{quantise, widen};
use super::trace::{MAX_STEPS, Trace};
use super::trace_file;
use crate::picture::{PLANE_SET, PictureKind, PictureSpec};
use crate::sample::Sha256;
use crate::view::Views;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Key of the configuration in the file's metadata.
const KEY: &str = "lookalike";
/// The tensor that holds the weights of the views.
const VIEWS: &str = "views";
/// The configuration version of a model with views, which an earlier program cannot use.
const VERSION_WITH_VIEWS: u32 = 2;
/// The configuration version of a model with layers of other kinds than those that we train.
const VERSION_WITH_LAYERS: u32 = 3;
/// A longer model file is not read: ours have about two megabytes.
const MAX_FILE: u64 = 1 << 30;
/// Largest values accepted in a configuration.
const MAX_LAYERS: usize = 64;
const MAX_WIDTH: usize = 1 << 14;
const MAX_LABELS: usize = 1 << 20;

/// A model, ready to use.
pub struct Model {
    /// Everything but the weights.
    pub config: ModelConfig,
    /// The weights and running statistics.
    pub network: Network,
    /// The statistics of each batch of its training, if they were recorded.
    pub trace: Option<Arc<Trace>>,
    /// The views of text and header that it compares files by too, if it does.
    pub views: Option<Arc<Views>>,
    /// SHA-256 of the file.
    pub hash: Sha256,
    /// The contents of the file.
    pub bytes: Vec<u8>,
}

/// Why a model could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be accessed.
    #[error("the model file could not be read or written: {error} ({path}). An existing file is unchanged; check that the folder exists, has free space, and is writable", path = crate::escape::path(.path))]
    Io {
        /// The reason.
        error: std::io::Error,
        /// The file.
        path: std::path::PathBuf,
    },
    /// Not a Lookalike model, or a damaged one.
    #[error("expected a model that Lookalike wrote, found {0}. Train a model, or choose another file")]
    Format(String),
    /// Written by a later version of Lookalike.
    #[error(
        "expected a model of format version {CONFIG_VERSION} or earlier, found version {found}. Update Lookalike, or train a new model"
    )]
    Version {
        /// The version of the file.
        found: u32,
    },
    /// Trained on pictures that this version of Lookalike computes differently.
    #[error(
        "expected a model trained on pictures of plane set {PLANE_SET}, found plane set {found}: this version of Lookalike computes other pictures from the same files. Train a new model, or use the version of Lookalike that wrote this one"
    )]
    PlaneSet {
        /// The plane set of the file.
        found: u32,
    },
    /// Its running statistics are not finite, so it cannot embed in eval mode.
    #[error(
        "the running statistics of batch-norm layer {layer} hold values that are not numbers, so eval mode has no results. Recompute the statistics"
    )]
    Broken {
        /// The first such layer, from 1.
        layer: usize,
    },
    /// The network could not be computed.
    #[error("the network failed: {0}")]
    Network(#[from] candle_core::Error),
}

impl Model {
    /// A model of a finished network, its configuration and its trace.
    pub fn new(config: ModelConfig, network: Network, trace: Option<Arc<Trace>>) -> Result<Self, ModelError> {
        Self::with_views(config, network, trace, None)
    }

    /// The same, with views of text and header.
    pub fn with_views(
        config: ModelConfig,
        network: Network,
        trace: Option<Arc<Trace>>,
        views: Option<Arc<Views>>,
    ) -> Result<Self, ModelError> {
        let trace = trace.filter(|trace| (1..=MAX_STEPS).contains(&trace.steps()));
        let bytes = serialize(&config, &network, trace.as_deref(), views.as_deref())?;
        Ok(Self { config, network, trace, views, hash: Sha256::of(&bytes), bytes })
    }

    /// The layers whose running statistics are not finite. Eval mode has no results until they are
    /// recomputed.
    pub(crate) fn broken_layers(&self) -> Vec<usize> {
        let layers = self.network.running.iter().enumerate();
        layers.filter(|(_, running)| !running.is_finite()).map(|(layer, _)| layer).collect()
    }

    /// An error if the running statistics of any layer are not finite.
    pub fn usable(&self) -> Result<(), ModelError> {
        match self.broken_layers().first() {
            None => Ok(()),
            Some(layer) => Err(ModelError::Broken { layer: layer + 1 }),
        }
    }

    /// Reads a model from the bytes of its file. Sizes are checked before anything is allocated for them.
    /// Weights that are not finite are an error; running statistics that are not finite are not, since they
    /// can be repaired.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ModelError> {
        let format = |error: &dyn std::fmt::Display| ModelError::Format(error.to_string());
        let config = read_config(&bytes, bytes.len())?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| format(&e))?;
        let network = Network::from_weights(&config, |name, shape| read_tensor(&tensors, name, shape))
            .map_err(|e| format(&e))?;
        let trace = trace_file::read(&config, |name| find_tensor(&tensors, name)).map(Arc::new);
        let views = match tensors.tensor(VIEWS) {
            Err(_) => None,
            Ok(stored) => {
                let views = (stored.dtype() == Dtype::U8).then(|| Views::from_bytes(stored.data())).flatten();
                let views = views.ok_or_else(|| format(&"views that this program does not write"))?;
                Some(Arc::new(views))
            }
        };
        Ok(Self { config, network, trace, views, hash: Sha256::of(&bytes), bytes })
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

    /// Writes the model file to a temporary file and renames it, so that a full disk or a crash leaves an
    /// existing file intact.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        crate::whole_file::write_whole(path, &self.bytes)
            .map_err(|error| ModelError::Io { error, path: path.to_owned() })
    }
}

/// The configuration of a model file of `length` bytes, from a front of the file that has its whole header.
pub fn read_config(front: &[u8], length: usize) -> Result<ModelConfig, ModelError> {
    let format = |error: &dyn std::fmt::Display| ModelError::Format(error.to_string());
    let header = read_header(front, length).map_err(|e| format(&e))?;
    let json = header.metadata().as_ref().and_then(|m| m.get(KEY));
    let json = json
        .ok_or_else(|| ModelError::Format("a safetensors file without a Lookalike configuration".into()))?;
    let versions: Versions = serde_json::from_str(json).map_err(|e| format(&e))?;
    if versions.version > CONFIG_VERSION {
        return Err(ModelError::Version { found: versions.version });
    }
    if versions.plane_set != PLANE_SET {
        return Err(ModelError::PlaneSet { found: versions.plane_set });
    }
    let config: ModelConfig = serde_json::from_str(json).map_err(|e| format(&e))?;
    validate(&config)?;
    Ok(config)
}

/// The hash of the views in the bytes of a model file, if it has any.
pub fn views_hash(bytes: &[u8]) -> Option<Sha256> {
    let tensors = SafeTensors::deserialize(bytes).ok()?;
    Some(Sha256::of(tensors.tensor(VIEWS).ok()?.data()))
}

/// The part of a configuration that says whether this program can read the rest.
#[derive(serde::Deserialize)]
struct Versions {
    version: u32,
    #[serde(default = "first_plane_set")]
    plane_set: u32,
}

fn validate(config: &ModelConfig) -> Result<(), ModelError> {
    let widths = config.convolutions.iter().all(|(f, s)| (1..=MAX_WIDTH).contains(f) && (1..=8).contains(s));
    let layers = &config.layers;
    let others = layers.is_empty()
        || config.convolutions.is_empty()
            && config.norm == Norm::Batch
            && layers.len() <= MAX_LAYERS
            && layers.iter().all(|layer| (1..=MAX_WIDTH).contains(&layer.filters))
            && fit_together(layers, config.picture.side, config.picture.kind.channels());
    // A network that was not trained on labels is of use without.
    let least_labels = usize::from(config.head != Head::Grid);
    let fits = widths
        && others
        && config.convolutions.len() <= MAX_LAYERS
        && (1..=MAX_WIDTH).contains(&config.embedding)
        && (least_labels..=MAX_LABELS).contains(&config.labels.len())
        && match config.picture.kind {
            PictureKind::Bytes => [PictureSpec::BYTES, PictureSpec::CODE].contains(&config.picture),
            PictureKind::Image => (8..=1024).contains(&config.picture.side),
        }
        && config.batch_norm.epsilon > 0.0
        && [config.calibration, config.calibration_with_labels]
            .iter()
            .flatten()
            .all(|calibration| calibration.is_valid());
    if fits { Ok(()) } else { Err(ModelError::Format("a configuration with values out of range".into())) }
}

pub(super) fn read_tensor(
    tensors: &SafeTensors<'_>,
    name: &str,
    shape: &[usize],
) -> candle_core::Result<Tensor> {
    let fail = |what: String| candle_core::Error::Msg(format!("tensor {name}: {what}"));
    let view = tensors.tensor(name).map_err(|e| fail(e.to_string()))?;
    if view.dtype() == Dtype::I8 && view.shape() == shape {
        let scale = tensors.tensor(&scale_of(name)).ok().filter(|scale| scale.dtype() == Dtype::F32);
        let values = scale.and_then(|scale| widen(view.data(), &numbers(scale.data()), shape));
        let values = values.ok_or_else(|| fail("expected a scale for each output channel".to_owned()))?;
        return Tensor::from_vec(values, shape, &Device::Cpu);
    }
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        return Err(fail(format!("expected f32 {shape:?}, found {:?} {:?}", view.dtype(), view.shape())));
    }
    let values = numbers(view.data());
    if values.iter().any(|v| !v.is_finite()) && !name.contains(".kept_") {
        return Err(fail("expected finite values, found some that are not numbers".into()));
    }
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// The tensor of the scales of a tensor of whole numbers.
fn scale_of(name: &str) -> String {
    format!("{name}.scale")
}

/// Shape and numbers of a tensor, if it exists.
fn find_tensor(tensors: &SafeTensors<'_>, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
    let view = tensors.tensor(name).ok()?;
    (view.dtype() == Dtype::F32).then(|| (view.shape().to_vec(), numbers(view.data())))
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn serialize(
    config: &ModelConfig,
    network: &Network,
    trace: Option<&Trace>,
    file_views: Option<&Views>,
) -> Result<Vec<u8>, ModelError> {
    let mut config = config.clone();
    if file_views.is_some() {
        config.version = VERSION_WITH_VIEWS;
    }
    if !config.layers.is_empty() {
        config.version = VERSION_WITH_LAYERS;
    }
    // Without the time it took, so that the same training writes the same file.
    let training = &mut config.training;
    training.history.iter_mut().chain([&mut training.result]).for_each(|point| point.seconds = 0.0);
    let json = serde_json::to_string(&config).map_err(|e| ModelError::Format(e.to_string()))?;
    let to_bytes = |values: Vec<f32>| values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
    let mut owned = Vec::new();
    for (name, tensor) in network.tensors()? {
        let (shape, values): (_, Vec<f32>) = (tensor.dims().to_vec(), tensor.flatten_all()?.to_vec1()?);
        if config.stored_weights == StoredWeights::Int8 && (name.ends_with(".weights") || name == "linear") {
            let (whole, scales) = quantise(&values, shape.last().copied().unwrap_or(1));
            owned.push((scale_of(&name), Dtype::F32, vec![scales.len()], to_bytes(scales)));
            owned.push((name, Dtype::I8, shape, whole));
        } else {
            owned.push((name, Dtype::F32, shape, to_bytes(values)));
        }
    }
    if let Some(trace) = trace {
        let tensors = trace_file::tensors(trace).into_iter();
        owned.extend(tensors.map(|(name, shape, values)| (name, Dtype::F32, shape, to_bytes(values))));
    }
    let mut views = Vec::new();
    for (name, dtype, shape, bytes) in &owned {
        let view =
            TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| ModelError::Format(e.to_string()))?;
        views.push((name.as_str(), view));
    }
    if let Some(file_views) = file_views {
        let bytes = file_views.to_bytes();
        let view = TensorView::new(Dtype::U8, vec![bytes.len()], bytes)
            .map_err(|e| ModelError::Format(e.to_string()))?;
        views.push((VIEWS, view));
    }
    let metadata = HashMap::from([(KEY.to_owned(), json)]);
    safetensors::serialize(views, Some(metadata)).map_err(|e| ModelError::Format(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::config::Init;
    use super::*;
    use rand::SeedableRng as _;

    fn model() -> Model {
        let mut config = ModelConfig::new(PictureSpec::image(8), vec!["a".into(), "b".into()]);
        config.convolutions = vec![(4, 1), (4, 2)];
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let network = Network::new(&config, Init::Default, &mut rng).unwrap();
        Model::new(config, network, None).unwrap()
    }

    /// The file of `model` with its configuration changed by `change`.
    fn with_json(
        model: &Model,
        change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
    ) -> Vec<u8> {
        let (_, metadata) = SafeTensors::read_metadata(&model.bytes).unwrap();
        let json = metadata.metadata().as_ref().unwrap()[KEY].clone();
        let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
        change(json.as_object_mut().unwrap());
        let tensors = SafeTensors::deserialize(&model.bytes).unwrap();
        let metadata = HashMap::from([(KEY.to_owned(), json.to_string())]);
        safetensors::serialize(tensors.tensors(), Some(metadata)).unwrap()
    }

    #[test]
    fn the_plane_set_is_stored_and_another_one_is_a_clear_error() {
        let model = model();
        assert_eq!(Model::from_bytes(model.bytes.clone()).unwrap().config.plane_set, PLANE_SET);
        // A later version may have changed other fields too.
        let other = with_json(&model, |json| {
            json.insert("plane_set".into(), (PLANE_SET + 1).into());
            json.remove("convolutions");
        });
        let error = Model::from_bytes(other).err().unwrap();
        assert!(matches!(error, ModelError::PlaneSet { found } if found == PLANE_SET + 1));
        let text = error.to_string();
        let expected = format!(
            "expected a model trained on pictures of plane set {PLANE_SET}, found plane set {}",
            PLANE_SET + 1
        );
        assert!(text.starts_with(&expected) && text.contains("Train a new model"), "{text}");
    }

    /// Model files from before the plane set was stored are of plane set 1.
    #[test]
    fn a_file_without_a_plane_set_is_of_the_first() {
        let model = model();
        let before = with_json(&model, |json| {
            assert!(json.remove("plane_set").is_some());
        });
        match Model::from_bytes(before) {
            Ok(read) => assert_eq!((read.config.plane_set, PLANE_SET), (1, 1)),
            Err(error) => {
                assert!(matches!(error, ModelError::PlaneSet { found: 1 } if PLANE_SET > 1), "{error}");
            }
        }
    }

    #[test]
    fn a_later_format_is_a_clear_error() {
        let later = with_json(&model(), |json| {
            json.insert("version".into(), (CONFIG_VERSION + 1).into());
        });
        assert!(
            matches!(Model::from_bytes(later), Err(ModelError::Version { found }) if found == CONFIG_VERSION + 1)
        );
    }
}
