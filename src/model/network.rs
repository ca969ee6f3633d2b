//! The network's layers and its forward pass.
//!
//! Four 3×3 convolutions, each with batch normalisation (or a bias) and a rectifier. Then, by [`Head`]:
//! average pooling to 4×4, a linear layer, unit length and one prototype per label, whose cosine with an
//! embedding says how similar the picture is to that label; or global average pooling, a linear layer and a
//! linear classifier.
//!
//! A network of other [layers](super::layer), as the base model for images has, is computed by [`super::layered`].

use super::config::{Head, Init, ModelConfig, Norm};
use super::kernels::Kernels;
use super::layer::{Layer, LayerKind};
use super::objective::objective;
use super::statistics::{BatchStatistics, Normalise, RunningStatistics};
use super::tensor_ops::{pool, text_grams, unit};
use crate::picture::PictureKind;
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Which statistics normalise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those of the batch.
    Train,
    /// The running ones.
    Eval,
}

/// The result of a forward pass.
pub struct Forward {
    /// `[n][embedding]`, the output of the last layer.
    pub features: Tensor,
    /// The same, scaled to length 1.
    pub embeddings: Tensor,
    /// In train mode with batch normalisation: the statistics of this batch, one entry per layer.
    pub statistics: Vec<BatchStatistics>,
}

/// One convolution and what follows it.
pub(super) struct Block {
    pub weights: Var,
    /// γ; `None` without batch normalisation.
    pub scale: Option<Var>,
    /// β, or the bias.
    pub shift: Var,
    pub layer: Layer,
}

/// The weights and the running statistics.
pub struct Network {
    pub(super) blocks: Vec<Block>,
    pub(super) linear: Var,
    /// For byte pictures: from the text grams straight to the embedding. Convolutions find patterns of
    /// neighbours, and neighbours in a table of hashes mean nothing.
    pub(super) text: Option<Var>,
    pub(super) prototypes: Var,
    /// The bias of `linear`, but for the cosine head.
    pub(super) linear_bias: Option<Var>,
    /// For a classifier: the bias of `prototypes`.
    pub(super) prototypes_bias: Option<Var>,
    pub(super) head: Head,
    /// One entry per convolution with batch normalisation; none without.
    pub running: Vec<RunningStatistics>,
    epsilon: f64,
}

/// The numbers of a network: weights in the order of [`Network::vars`], and running statistics.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkState {
    weights: Vec<Vec<f32>>,
    running: Vec<RunningStatistics>,
}

impl Network {
    /// A network with random weights from `rng`.
    pub fn new(config: &ModelConfig, init: Init, rng: &mut impl Rng) -> Result<Self> {
        Self::build(config, |_, shape, fan_in| {
            let gain = match init {
                Init::Default => 1.0_f32,
                Init::He => 6.0,
            };
            let bound = (gain / fan_in as f32).sqrt();
            let values =
                (0..shape.iter().product()).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>();
            Tensor::from_vec(values, shape, &Device::Cpu)
        })
    }

    /// A network whose tensors come from `find(name, shape)`.
    pub(super) fn from_weights(
        config: &ModelConfig,
        mut find: impl FnMut(&str, &[usize]) -> Result<Tensor>,
    ) -> Result<Self> {
        let mut network = Self::build(config, |name, shape, _| find(name, shape))?;
        network.blocks.iter().enumerate().try_for_each(|(i, block)| {
            for (name, var) in [("scale", block.scale.as_ref()), ("shift", Some(&block.shift))] {
                if let Some(var) = var {
                    var.set(&find(&format!("block{i}.{name}"), var.dims())?)?;
                }
            }
            Ok::<_, candle_core::Error>(())
        })?;
        for (i, running) in network.running.iter_mut().enumerate() {
            let channels = running.mean.len();
            running.mean = find(&format!("block{i}.kept_mean"), &[channels])?.to_vec1()?;
            running.variance = find(&format!("block{i}.kept_variance"), &[channels])?.to_vec1()?;
            let batches = find(&format!("block{i}.kept_batches"), &[1])?.to_vec1::<f32>()?;
            running.batches = batches.first().copied().unwrap_or(0.0) as u64;
        }
        Ok(network)
    }

    /// A network of published weights, which `find(name, shape)` gives, with this matrix and bias behind the pooling and no labels.
    pub(crate) fn with_projection(
        config: &ModelConfig,
        find: impl Fn(&str, &[usize]) -> Result<Tensor>,
        matrix: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<Self> {
        Self::from_weights(config, |name, shape| match name {
            "linear" => Tensor::from_slice(&matrix, shape, &Device::Cpu),
            "linear_bias" => Tensor::from_slice(&bias, shape, &Device::Cpu),
            "prototypes" => Tensor::zeros(shape, DType::F32, &Device::Cpu),
            name => find(name, shape),
        })
    }

    fn build(
        config: &ModelConfig,
        mut make: impl FnMut(&str, &[usize], usize) -> Result<Tensor>,
    ) -> Result<Self> {
        let mut channels = config.picture.kind.channels();
        let mut side = config.picture.side;
        let mut blocks = Vec::new();
        let mut running = Vec::new();
        for (i, layer) in config.all_layers().into_iter().enumerate() {
            let filters = layer.filters;
            let inputs = if layer.kind == LayerKind::Full { channels } else { 1 };
            let fan_in = layer.kernel * layer.kernel * inputs;
            let weights = make(&format!("block{i}.weights"), &layer.weights(channels), fan_in)?;
            let batch = config.norm == Norm::Batch;
            let scale = if batch { Some(Var::ones(filters, DType::F32, &Device::Cpu)?) } else { None };
            blocks.push(Block {
                weights: Var::from_tensor(&weights)?,
                scale,
                shift: Var::zeros(filters, DType::F32, &Device::Cpu)?,
                layer,
            });
            if batch {
                running.push(RunningStatistics::new(filters));
            }
            channels = filters;
            side = side.div_ceil(layer.stride.max(1));
        }
        let pooled = config.head.pooled();
        if side < pooled || config.head != Head::Grid && !side.is_multiple_of(pooled) {
            bail!(
                "expected pictures whose side the convolutions reduce to a multiple of {pooled}, found a reduced side of {side}"
            );
        }
        let features = pooled * pooled * channels;
        let linear = make("linear", &[features, config.embedding], features)?;
        let pixels = config.picture.side * config.picture.side;
        let text = match (config.head, config.picture.kind) {
            (Head::Cosine, PictureKind::Bytes) => {
                Some(Var::from_tensor(&make("text", &[pixels, config.embedding], pixels)?)?)
            }
            _ => None,
        };
        let prototypes = make("prototypes", &[config.labels.len(), config.embedding], config.embedding)?;
        let linear_bias = match config.head {
            Head::Cosine => None,
            Head::Classifier | Head::Grid => {
                Some(Var::from_tensor(&make("linear_bias", &[config.embedding], features)?)?)
            }
        };
        let prototypes_bias = match config.head {
            Head::Cosine | Head::Grid => None,
            Head::Classifier => {
                let labels = make("prototypes_bias", &[config.labels.len()], config.embedding)?;
                Some(Var::from_tensor(&labels)?)
            }
        };
        Ok(Self {
            blocks,
            linear: Var::from_tensor(&linear)?,
            text,
            prototypes: Var::from_tensor(&prototypes)?,
            linear_bias,
            prototypes_bias,
            head: config.head,
            running,
            epsilon: config.batch_norm.epsilon,
        })
    }

    /// All trained variables.
    pub fn vars(&self) -> Vec<Var> {
        let blocks = self.blocks.iter().flat_map(|b| [Some(&b.weights), b.scale.as_ref(), Some(&b.shift)]);
        let heads = [&self.linear].into_iter().chain(&self.text).chain([&self.prototypes]);
        blocks.flatten().chain(heads).chain(self.biases()).cloned().collect()
    }

    fn biases(&self) -> impl Iterator<Item = &Var> {
        self.linear_bias.iter().chain(&self.prototypes_bias)
    }

    /// Whether every layer is one that we train.
    pub(crate) fn is_plain(&self) -> bool {
        self.blocks.iter().all(|block| block.layer.is_plain()) && self.head != Head::Grid
    }

    /// All numbers, for a checkpoint.
    pub(crate) fn state(&self) -> Result<NetworkState> {
        let weights = self.vars().iter().map(|var| var.flatten_all()?.to_vec1()).collect::<Result<_>>()?;
        Ok(NetworkState { weights, running: self.running.clone() })
    }

    /// Replaces all numbers by those of another network of the same configuration. An error if the shapes
    /// differ.
    pub(crate) fn restore(&mut self, state: NetworkState) -> Result<()> {
        let vars = self.vars();
        let channels = |running: &[RunningStatistics]| -> Vec<_> {
            running.iter().map(|layer| (layer.mean.len(), layer.variance.len())).collect()
        };
        if vars.len() != state.weights.len() || channels(&self.running) != channels(&state.running) {
            bail!("expected the numbers of this network, found those of a network of another shape");
        }
        for (var, values) in vars.iter().zip(state.weights) {
            var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
        }
        self.running = state.running;
        Ok(())
    }

    /// The tensors of a model file, by name.
    pub(super) fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let mut out = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            out.push((format!("block{i}.weights"), block.weights.as_detached_tensor()));
            if let Some(scale) = &block.scale {
                out.push((format!("block{i}.scale"), scale.as_detached_tensor()));
            }
            out.push((format!("block{i}.shift"), block.shift.as_detached_tensor()));
        }
        for (i, running) in self.running.iter().enumerate() {
            let channel = |v: &[f32]| Tensor::from_slice(v, v.len(), &Device::Cpu);
            out.push((format!("block{i}.kept_mean"), channel(&running.mean)?));
            out.push((format!("block{i}.kept_variance"), channel(&running.variance)?));
            out.push((format!("block{i}.kept_batches"), channel(&[running.batches as f32])?));
        }
        out.push(("linear".into(), self.linear.as_detached_tensor()));
        if let Some(text) = &self.text {
            out.push(("text".into(), text.as_detached_tensor()));
        }
        out.push(("prototypes".into(), self.prototypes.as_detached_tensor()));
        for (name, bias) in ["linear_bias", "prototypes_bias"].iter().zip(self.biases()) {
            out.push(((*name).into(), bias.as_detached_tensor()));
        }
        Ok(out)
    }

    /// Length of an embedding.
    pub(crate) fn dimension(&self) -> usize {
        self.linear.dims().last().copied().unwrap_or(0)
    }

    /// A copy that shares no memory with this network.
    pub fn duplicate(&self) -> Result<Self> {
        self.on(&Device::Cpu)
    }

    /// A copy with these prototypes, one for each label.
    pub(crate) fn with_prototypes(&self, prototypes: Vec<Vec<f32>>) -> Result<Self> {
        let prototypes = Var::from_tensor(&Tensor::new(prototypes, &Device::Cpu)?)?;
        Ok(Self { prototypes, ..self.duplicate()? })
    }

    /// A copy whose weights are on `device`.
    pub(super) fn on(&self, device: &Device) -> Result<Self> {
        let copy = |var: &Var| Var::from_tensor(&var.as_detached_tensor().copy()?.to_device(device)?);
        let blocks = self.blocks.iter().map(|b| {
            Ok(Block {
                weights: copy(&b.weights)?,
                scale: b.scale.as_ref().map(copy).transpose()?,
                shift: copy(&b.shift)?,
                layer: b.layer,
            })
        });
        Ok(Self {
            blocks: blocks.collect::<Result<_>>()?,
            linear: copy(&self.linear)?,
            text: self.text.as_ref().map(copy).transpose()?,
            prototypes: copy(&self.prototypes)?,
            linear_bias: self.linear_bias.as_ref().map(copy).transpose()?,
            prototypes_bias: self.prototypes_bias.as_ref().map(copy).transpose()?,
            head: self.head,
            running: self.running.clone(),
            epsilon: self.epsilon,
        })
    }

    /// Embeds `x`, `[n][side][side][channels]`. With `track`, the result records its operations for candle's
    /// backward pass. Never changes the running statistics. An error if a network of other layers is tracked.
    pub(crate) fn forward(&self, x: &Tensor, mode: Mode, track: bool) -> Result<Forward> {
        if !self.is_plain() {
            if track {
                bail!("expected a network of 3×3 convolutions to train, found one of other layers");
            }
            return self.forward_layers(x, mode);
        }
        self.forward_by(Kernels::of(x.device()), x, mode, track)
    }

    /// [`Self::forward`] by the given kernels.
    pub(super) fn forward_by(
        &self,
        kernels: Kernels,
        x: &Tensor,
        mode: Mode,
        track: bool,
    ) -> Result<Forward> {
        let value = |var: &Var| value(var, x.device(), track);
        let pictures = x;
        let mut x = x.clone();
        let mut statistics = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            let linear = kernels.conv3x3(&x, &value(&block.weights)?, block.layer.stride)?;
            let shift = value(&block.shift)?;
            let (out, batch) = match (&block.scale, self.running.get(i)) {
                (Some(scale), Some(running)) => {
                    let by = match mode {
                        Mode::Train => Normalise::Batch,
                        Mode::Eval => Normalise::Running(running),
                    };
                    kernels.norm_relu(&linear, &value(scale)?, &shift, self.epsilon, by)?
                }
                // Without batch normalisation: x + bias, which is normalising by mean 0 and variance 1.
                _ => {
                    let channels = shift.elem_count();
                    let identity = RunningStatistics::new(channels);
                    let ones = Tensor::ones(channels, DType::F32, x.device())?;
                    kernels.norm_relu(&linear, &ones, &shift, 0.0, Normalise::Running(&identity))?
                }
            };
            statistics.extend(batch);
            x = out;
        }
        let (embeddings, features) = self.tail(&x, pictures, track)?;
        Ok(Forward { embeddings, features, statistics })
    }

    /// The layers after the convolutions: from their activations (and, for byte pictures, the text grams) to
    /// embeddings of length 1, and the same before scaling.
    pub(super) fn tail(&self, x: &Tensor, pictures: &Tensor, track: bool) -> Result<(Tensor, Tensor)> {
        let value = |var: &Var| value(var, x.device(), track);
        let mut features = pool(x, self.head.pooled())?.matmul(&value(&self.linear)?)?;
        if let Some(text) = &self.text {
            features = (features + text_grams(pictures)?.matmul(&value(text)?)?)?;
        }
        if let Some(bias) = &self.linear_bias {
            features = features.broadcast_add(&value(bias)?)?;
        }
        Ok((unit(&features)?, features))
    }

    /// The score of each picture for each label, `[n][labels]`: the cosine with its prototype, or the
    /// classifier's output. The highest wins.
    pub(crate) fn scores(&self, forward: &Forward, track: bool) -> Result<Tensor> {
        let value = |var: &Var| value(var, forward.embeddings.device(), track);
        let prototypes = value(&self.prototypes)?;
        match &self.prototypes_bias {
            None => forward.embeddings.matmul(&unit(&prototypes)?.t()?),
            Some(bias) => forward.features.matmul(&prototypes.t()?)?.broadcast_add(&value(bias)?),
        }
    }

    /// Mean loss of `scores` where `classes[i]` is the label of row `i`, a scalar.
    pub(crate) fn loss(&self, scores: &Tensor, classes: &[usize]) -> Result<Tensor> {
        objective(self.head, scores, classes)
    }

    /// γ of each layer with batch normalisation, by channel.
    pub(crate) fn scales(&self) -> Result<Vec<Vec<f32>>> {
        let scales = self.blocks.iter().filter_map(|block| block.scale.as_ref());
        scales.map(|scale| scale.as_detached_tensor().to_vec1()).collect()
    }

    /// Added to the variance.
    pub(crate) fn epsilon(&self) -> f64 {
        self.epsilon
    }
}

/// The value of a weight on `device`; with `track`, part of the graph of the backward pass.
fn value(var: &Var, device: &Device, track: bool) -> Result<Tensor> {
    if track { Ok(var.as_tensor().clone()) } else { var.as_detached_tensor().to_device(device) }
}
