//! The network's layers and its forward pass.
//!
//! Four 3×3 convolutions, each with batch normalisation (or a bias) and a rectifier; then, by
//! [`Head`], average pooling to 4×4, a linear layer, unit length and one prototype a label, whose
//! cosine says how much a picture looks like that label; or global average pooling, a linear layer
//! and a linear classifier.

use super::batch_norm::{BatchStatistics, KeptStatistics, Normalise};
use super::by_candle::{DeviceEmbedder, Kernels};
use super::config::{Head, Init, ModelConfig, Norm};
use super::embedder::{Embedder, Folded, pooled};
use super::objective::objective;
use crate::picture::{PictureKind, TEXT_PLANE};
use candle_core::{D, DType, Device, Result, Tensor, Var, bail};
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Which statistics normalise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those of the batch.
    Train,
    /// Those that were kept.
    Eval,
}

/// What a forward pass gives.
pub struct Forward {
    /// `[n][embedding]`, as the last layer gives them.
    pub features: Tensor,
    /// The same, each of length 1.
    pub embeddings: Tensor,
    /// In train mode with batch normalisation: a layer's statistics of this batch each.
    pub statistics: Vec<BatchStatistics>,
}

/// One convolution and what follows it.
pub(super) struct Block {
    pub weights: Var,
    /// γ; absent without batch normalisation.
    pub scale: Option<Var>,
    /// β, or the bias.
    pub shift: Var,
    pub stride: usize,
}

/// The weights, and the statistics that were kept.
pub struct Network {
    pub(super) blocks: Vec<Block>,
    linear: Var,
    /// For pictures of bytes: from the text grams straight to the embedding. Convolutions look for
    /// patterns of neighbours, and neighbours in a table of hashes mean nothing.
    text: Option<Var>,
    prototypes: Var,
    /// Of a classifier: the biases of `linear` and `prototypes`.
    biases: Option<[Var; 2]>,
    head: Head,
    /// One a convolution with batch normalisation; none without.
    pub kept: Vec<KeptStatistics>,
    epsilon: f64,
}

/// The numbers of a network: weights in the order of [`Network::vars`], and what it keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkState {
    weights: Vec<Vec<f32>>,
    kept: Vec<KeptStatistics>,
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

    /// A network whose weights `find(name, shape)` gives.
    pub fn from_weights(
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
        for (i, kept) in network.kept.iter_mut().enumerate() {
            let channels = kept.mean.len();
            kept.mean = find(&format!("block{i}.kept_mean"), &[channels])?.to_vec1()?;
            kept.variance = find(&format!("block{i}.kept_variance"), &[channels])?.to_vec1()?;
            let batches = find(&format!("block{i}.kept_batches"), &[1])?.to_vec1::<f32>()?;
            kept.batches = batches.first().copied().unwrap_or(0.0) as u64;
        }
        Ok(network)
    }

    fn build(
        config: &ModelConfig,
        mut make: impl FnMut(&str, &[usize], usize) -> Result<Tensor>,
    ) -> Result<Self> {
        let mut channels = config.picture.kind.channels();
        let mut side = config.picture.side;
        let mut blocks = Vec::new();
        let mut kept = Vec::new();
        for (i, (filters, stride)) in config.convolutions.iter().copied().enumerate() {
            let weights = make(&format!("block{i}.weights"), &[3, 3, channels, filters], 9 * channels)?;
            let batch = config.norm == Norm::Batch;
            let scale = if batch { Some(Var::ones(filters, DType::F32, &Device::Cpu)?) } else { None };
            blocks.push(Block {
                weights: Var::from_tensor(&weights)?,
                scale,
                shift: Var::zeros(filters, DType::F32, &Device::Cpu)?,
                stride,
            });
            if batch {
                kept.push(KeptStatistics::new(filters));
            }
            channels = filters;
            side = side.div_ceil(stride.max(1));
        }
        let pooled = pooled(config.head);
        if !side.is_multiple_of(pooled) {
            bail!("expected pictures that the convolutions reduce to a multiple of {pooled}, found {side}");
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
        let biases = match config.head {
            Head::Cosine => None,
            Head::Classifier => {
                let linear = make("linear_bias", &[config.embedding], features)?;
                let labels = make("prototypes_bias", &[config.labels.len()], config.embedding)?;
                Some([Var::from_tensor(&linear)?, Var::from_tensor(&labels)?])
            }
        };
        Ok(Self {
            blocks,
            linear: Var::from_tensor(&linear)?,
            text,
            prototypes: Var::from_tensor(&prototypes)?,
            biases,
            head: config.head,
            kept,
            epsilon: config.batch_norm.epsilon,
        })
    }

    /// Everything that training changes.
    pub fn vars(&self) -> Vec<Var> {
        let blocks = self.blocks.iter().flat_map(|b| [Some(&b.weights), b.scale.as_ref(), Some(&b.shift)]);
        let heads = [&self.linear].into_iter().chain(&self.text).chain([&self.prototypes]);
        blocks.flatten().chain(heads).chain(self.biases.iter().flatten()).cloned().collect()
    }

    /// All numbers, for a checkpoint.
    pub fn state(&self) -> Result<NetworkState> {
        let weights = self.vars().iter().map(|var| var.flatten_all()?.to_vec1()).collect::<Result<_>>()?;
        Ok(NetworkState { weights, kept: self.kept.clone() })
    }

    /// Takes the numbers of another network of the same configuration. Fails if they do not fit.
    pub fn restore(&mut self, state: NetworkState) -> Result<()> {
        let vars = self.vars();
        let channels = |kept: &[KeptStatistics]| -> Vec<_> {
            kept.iter().map(|layer| (layer.mean.len(), layer.variance.len())).collect()
        };
        if vars.len() != state.weights.len() || channels(&self.kept) != channels(&state.kept) {
            candle_core::bail!("the numbers of a network of another shape");
        }
        for (var, values) in vars.iter().zip(state.weights) {
            var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
        }
        self.kept = state.kept;
        Ok(())
    }

    /// Everything that a model file holds, by name.
    pub fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let mut out = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            out.push((format!("block{i}.weights"), block.weights.as_detached_tensor()));
            if let Some(scale) = &block.scale {
                out.push((format!("block{i}.scale"), scale.as_detached_tensor()));
            }
            out.push((format!("block{i}.shift"), block.shift.as_detached_tensor()));
        }
        for (i, kept) in self.kept.iter().enumerate() {
            let channel = |v: &[f32]| Tensor::from_slice(v, v.len(), &Device::Cpu);
            out.push((format!("block{i}.kept_mean"), channel(&kept.mean)?));
            out.push((format!("block{i}.kept_variance"), channel(&kept.variance)?));
            out.push((format!("block{i}.kept_batches"), channel(&[kept.batches as f32])?));
        }
        out.push(("linear".into(), self.linear.as_detached_tensor()));
        if let Some(text) = &self.text {
            out.push(("text".into(), text.as_detached_tensor()));
        }
        out.push(("prototypes".into(), self.prototypes.as_detached_tensor()));
        for (name, bias) in ["linear_bias", "prototypes_bias"].iter().zip(self.biases.iter().flatten()) {
            out.push(((*name).into(), bias.as_detached_tensor()));
        }
        Ok(out)
    }

    /// Length of an embedding.
    pub fn dimension(&self) -> usize {
        self.linear.dims().last().copied().unwrap_or(0)
    }

    /// A copy that shares nothing with this one.
    pub fn duplicate(&self) -> Result<Self> {
        self.on(&Device::Cpu)
    }

    /// A copy whose weights lie on `device`.
    pub(super) fn on(&self, device: &Device) -> Result<Self> {
        let copy = |var: &Var| Var::from_tensor(&var.as_detached_tensor().copy()?.to_device(device)?);
        let blocks = self.blocks.iter().map(|b| {
            Ok(Block {
                weights: copy(&b.weights)?,
                scale: b.scale.as_ref().map(copy).transpose()?,
                shift: copy(&b.shift)?,
                stride: b.stride,
            })
        });
        Ok(Self {
            blocks: blocks.collect::<Result<_>>()?,
            linear: copy(&self.linear)?,
            text: self.text.as_ref().map(copy).transpose()?,
            prototypes: copy(&self.prototypes)?,
            biases: match &self.biases {
                Some([a, b]) => Some([copy(a)?, copy(b)?]),
                None => None,
            },
            head: self.head,
            kept: self.kept.clone(),
            epsilon: self.epsilon,
        })
    }

    /// Embeds `x`, `[n][side][side][channels]`. With `learn`, the result remembers how it came
    /// about, for the backward pass. Never changes what was kept.
    pub fn forward(&self, x: &Tensor, mode: Mode, learn: bool) -> Result<Forward> {
        self.forward_by(Kernels::of(x.device()), x, mode, learn)
    }

    /// The same, by these kernels.
    pub(super) fn forward_by(
        &self,
        kernels: Kernels,
        x: &Tensor,
        mode: Mode,
        learn: bool,
    ) -> Result<Forward> {
        let value = |var: &Var| value(var, x.device(), learn);
        let pictures = x;
        let mut x = x.clone();
        let mut statistics = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            let linear = kernels.conv3x3(&x, &value(&block.weights)?, block.stride)?;
            let shift = value(&block.shift)?;
            let (out, batch) = match (&block.scale, self.kept.get(i)) {
                (Some(scale), Some(kept)) => {
                    let by = match mode {
                        Mode::Train => Normalise::Batch,
                        Mode::Eval => Normalise::Kept(kept),
                    };
                    kernels.norm_relu(&linear, &value(scale)?, &shift, self.epsilon, by)?
                }
                // Without batch normalisation: x + bias, which is normalising by nothing.
                _ => {
                    let channels = shift.elem_count();
                    let nothing = KeptStatistics::new(channels);
                    let ones = Tensor::ones(channels, DType::F32, x.device())?;
                    kernels.norm_relu(&linear, &ones, &shift, 0.0, Normalise::Kept(&nothing))?
                }
            };
            statistics.extend(batch);
            x = out;
        }
        let (embeddings, features) = self.tail(&x, pictures, learn)?;
        Ok(Forward { embeddings, features, statistics })
    }

    /// What follows the convolutions: from their activations (and of pictures of bytes, from the text
    /// grams) to embeddings of length 1, and the same as the last layer gives them.
    pub(super) fn tail(&self, x: &Tensor, pictures: &Tensor, learn: bool) -> Result<(Tensor, Tensor)> {
        let value = |var: &Var| value(var, x.device(), learn);
        let mut features = pool(x, pooled(self.head))?.matmul(&value(&self.linear)?)?;
        if let Some(text) = &self.text {
            features = (features + text_grams(pictures)?.matmul(&value(text)?)?)?;
        }
        if let Some([bias, _]) = &self.biases {
            features = features.broadcast_add(&value(bias)?)?;
        }
        Ok((unit(&features)?, features))
    }

    /// How well each picture fits each label, `[n][labels]`: the cosine with its prototype, or the
    /// classifier's score. The highest wins.
    pub fn scores(&self, forward: &Forward, learn: bool) -> Result<Tensor> {
        let value = |var: &Var| value(var, forward.embeddings.device(), learn);
        let prototypes = value(&self.prototypes)?;
        match &self.biases {
            None => forward.embeddings.matmul(&unit(&prototypes)?.t()?),
            Some([_, bias]) => forward.features.matmul(&prototypes.t()?)?.broadcast_add(&value(bias)?),
        }
    }

    /// Mean loss of `scores` where `classes[i]` is the label of row `i`, a scalar.
    pub fn loss(&self, scores: &Tensor, classes: &[usize]) -> Result<Tensor> {
        objective(self.head, scores, classes)
    }

    /// This network as it is now, made ready to look files up.
    pub fn embedder(&self) -> Result<Embedder> {
        let numbers = |var: &Var| var.as_detached_tensor().flatten_all()?.to_vec1::<f32>();
        let mut layers = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            let (weights, shift) = (numbers(&block.weights)?, numbers(&block.shift)?);
            layers.push(match (&block.scale, self.kept.get(i)) {
                (Some(scale), Some(kept)) => {
                    let scale: Vec<f32> = numbers(scale)?
                        .iter()
                        .zip(&kept.variance)
                        .map(|(scale, v)| (f64::from(*scale) / (f64::from(*v) + self.epsilon).sqrt()) as f32)
                        .collect();
                    let bias = shift.iter().zip(&kept.mean).zip(&scale);
                    let bias = bias.map(|((shift, mean), scale)| shift - mean * scale).collect();
                    Folded::fold(weights, &scale, bias, block.stride)
                }
                _ => Folded { weights, bias: shift, stride: block.stride },
            });
        }
        let mut embedder = Embedder {
            layers,
            pooled: pooled(self.head),
            linear: numbers(&self.linear)?,
            linear_bias: self.biases.as_ref().map(|[bias, _]| numbers(bias)).transpose()?,
            text: self.text.as_ref().map(numbers).transpose()?,
            dimension: self.dimension(),
            elsewhere: None,
        };
        let device = &super::Processor::get().device;
        if Kernels::of(device) == Kernels::Candle
            && let Some(first) = self.blocks.first()
        {
            let channels = first.weights.dims4()?.2;
            embedder.elsewhere = Some(DeviceEmbedder::new(&embedder, channels, device)?);
        }
        Ok(embedder)
    }

    /// γ of each layer with batch normalisation, by channel.
    pub fn scales(&self) -> Result<Vec<Vec<f32>>> {
        let scales = self.blocks.iter().filter_map(|block| block.scale.as_ref());
        scales.map(|scale| scale.as_detached_tensor().to_vec1()).collect()
    }

    /// Added to the variance.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }
}

/// What a weight is, on `device`; with `learn`, the gradient will find it.
fn value(var: &Var, device: &Device, learn: bool) -> Result<Tensor> {
    if learn { Ok(var.as_tensor().clone()) } else { var.as_detached_tensor().to_device(device) }
}

/// The plane of text grams of pictures of bytes: `[n][side · side]`.
pub(super) fn text_grams(x: &Tensor) -> Result<Tensor> {
    x.narrow(D::Minus1, TEXT_PLANE, 1)?.flatten_from(1)
}

/// Average pooling to `side × side`, flattened: `[n][side² · channels]`.
pub(super) fn pool(x: &Tensor, side: usize) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let (rows, columns) = (h / side, w / side);
    if rows == 1 && columns == 1 {
        return x.reshape((n, side * side * c));
    }
    let rows_pooled = x.reshape((n, side, rows, w * c))?.mean(2)?;
    rows_pooled.reshape((n * side * side, columns, c))?.mean(1)?.reshape((n, side * side * c))
}

/// Scales each row to length 1.
pub(super) fn unit(x: &Tensor) -> Result<Tensor> {
    let length = (x.sqr()?.sum_keepdim(D::Minus1)? + 1e-12)?.sqrt()?;
    x.broadcast_div(&length)
}
