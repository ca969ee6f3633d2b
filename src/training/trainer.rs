//! A training between two steps: the network, the optimiser, the running statistics, and the trace. The
//! caller decides when to measure and when to stop.

use super::adamw::{self, AdamW};
use super::config::{Optimiser, Sampling, TrainConfig};
use super::labelled::Labelled;
use super::sampler::{BalancedSampler, ShuffledSampler};
use super::schedule::one_cycle;
use super::sgd::Sgd;
use crate::job::Stop;
use crate::model::{Init, ModelConfig, Network, NetworkState, Trace, picture_batch};
use crate::picture::{PictureSpec, View};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A training between two steps.
pub struct Trainer<'a> {
    data: &'a Labelled<'a>,
    config: &'a TrainConfig,
    /// The network with its present weights and running statistics.
    pub network: Network,
    /// The statistics of every batch so far.
    pub trace: Trace,
    /// Steps so far.
    pub done: usize,
    /// Steps in total.
    pub steps: usize,
    spec: PictureSpec,
    optimiser: AnyOptimiser,
    sampler: AnySampler,
    rng: ChaCha8Rng,
}

enum AnyOptimiser {
    AdamW(AdamW),
    Sgd(Sgd),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum AnySampler {
    Balanced(BalancedSampler),
    Shuffled(ShuffledSampler),
}

/// The configuration of a model trained on `data` with `config`.
pub fn model_config(data: &Labelled<'_>, config: &TrainConfig) -> ModelConfig {
    ModelConfig {
        norm: config.norm,
        batch_norm: config.batch_norm,
        head: config.head,
        ..ModelConfig::new(data.set.spec, data.labels.clone())
    }
}

/// Everything that the next step depends on, apart from the files and the settings.
#[derive(Serialize, Deserialize)]
pub struct State {
    done: usize,
    network: NetworkState,
    optimiser: OptimiserState,
    sampler: AnySampler,
    rng: ChaCha8Rng,
    trace: Trace,
}

#[derive(Serialize, Deserialize)]
enum OptimiserState {
    AdamW(i32, Vec<Vec<[f32; 2]>>),
    Sgd(Vec<Vec<f32>>),
}

impl<'a> Trainer<'a> {
    /// A training of `network` on `files` of `data` before the first of `steps` steps. All randomness comes
    /// from `rng`.
    pub fn new(
        data: &'a Labelled<'a>,
        files: &[usize],
        config: &'a TrainConfig,
        network: Network,
        steps: usize,
        rng: ChaCha8Rng,
    ) -> Result<Self, Stop> {
        if config.batch_size < 2 {
            return Err(Stop::failed(format!(
                "expected a batch size of at least 2, found {}: a single file has no variance to normalise by",
                config.batch_size
            )));
        }
        let vars = network.vars();
        let optimiser = match config.optimiser {
            Optimiser::AdamW => AnyOptimiser::AdamW(AdamW::new(vars, adamw::DECAY)),
            Optimiser::Adam => AnyOptimiser::AdamW(AdamW::new(vars, 0.0)),
            Optimiser::Sgd => AnyOptimiser::Sgd(Sgd::new(vars)),
        };
        let sampler = match config.sampling {
            Sampling::Balanced => {
                AnySampler::Balanced(BalancedSampler::new(files, &data.classes, data.labels.len()))
            }
            Sampling::Shuffled => AnySampler::Shuffled(ShuffledSampler::new(files)),
        };
        let spec = data.set.spec;
        Ok(Self {
            data,
            config,
            network,
            trace: Trace::default(),
            done: 0,
            steps,
            spec,
            optimiser,
            sampler,
            rng,
        })
    }

    /// The same with pictures computed by `spec`, of the same kind and size as those of the set.
    pub fn with_spec(self, spec: PictureSpec) -> Self {
        Self { spec, ..self }
    }

    /// Its state, for a checkpoint.
    pub fn state(&self) -> Result<State, Stop> {
        Ok(State {
            done: self.done,
            network: self.network.state()?,
            optimiser: match &self.optimiser {
                AnyOptimiser::AdamW(optimiser) => {
                    let (steps, moments) = optimiser.moments();
                    OptimiserState::AdamW(steps, moments)
                }
                AnyOptimiser::Sgd(optimiser) => OptimiserState::Sgd(optimiser.velocities()),
            },
            sampler: self.sampler.clone(),
            rng: self.rng.clone(),
            trace: self.trace.clone(),
        })
    }

    /// Resumes from the state of another trainer with the same files and settings. An error if they differ.
    pub fn restore(&mut self, state: State) -> Result<(), Stop> {
        let files = self.data.classes.len();
        let fits = match (&state.sampler, &self.sampler) {
            (AnySampler::Balanced(given), AnySampler::Balanced(_)) => given.fits(files),
            (AnySampler::Shuffled(given), AnySampler::Shuffled(_)) => given.fits(files),
            _ => false,
        };
        if !fits || state.done > self.steps {
            return Err(Stop::failed(
                "expected a checkpoint of this training, found one of another. Remove it and train again",
            ));
        }
        match (&mut self.optimiser, state.optimiser) {
            (AnyOptimiser::AdamW(own), OptimiserState::AdamW(steps, moments)) => {
                own.restore(steps, moments)?;
            }
            (AnyOptimiser::Sgd(own), OptimiserState::Sgd(velocities)) => own.restore(velocities)?,
            _ => {
                return Err(Stop::failed(
                    "expected a checkpoint of this optimiser, found one of another. Remove it and train again",
                ));
            }
        }
        self.network.restore(state.network)?;
        (self.done, self.sampler, self.rng, self.trace) = (state.done, state.sampler, state.rng, state.trace);
        Ok(())
    }

    /// One step; returns the loss, which may not be finite.
    pub fn step(&mut self) -> Result<f64, Stop> {
        let kind = self.spec.kind;
        let size = self.config.batch_size;
        let files = match &mut self.sampler {
            AnySampler::Balanced(sampler) => sampler.draw(size, &mut self.rng),
            AnySampler::Shuffled(sampler) => sampler.draw(size, &mut self.rng),
        };
        let (pictures, classes): (Vec<_>, Vec<_>) = self.data.files(files.iter()).into_iter().unzip();
        let views: Vec<_> = pictures
            .into_iter()
            .map(|picture| match self.config.sampling {
                Sampling::Balanced => (picture, View::random(kind, &mut self.rng)),
                Sampling::Shuffled => (picture, View::Whole),
            })
            .collect();
        let pictures = picture_batch(&views, self.spec)?;
        let pass = self.network.backward(&pictures, &classes)?;
        let rate = match self.config.one_cycle {
            true => one_cycle(self.config.learning_rate, self.done, self.steps),
            false => self.config.learning_rate,
        };
        self.optimiser.step(&pass.gradients, rate)?;
        let policy = &self.config.batch_norm;
        for (running, batch) in self.network.running.iter_mut().zip(&pass.statistics) {
            running.update(batch, policy.weight(), policy.running_variance);
        }
        if !pass.statistics.is_empty() {
            self.trace.batches.push(pass.statistics);
        }
        self.done += 1;
        Ok(pass.loss)
    }

    /// How its pictures are computed.
    pub fn spec(&self) -> PictureSpec {
        self.spec
    }

    /// How its weights were initialised.
    pub fn init(&self) -> Init {
        self.config.init
    }
}

impl AnyOptimiser {
    fn step(&mut self, grads: &[Vec<f32>], rate: f64) -> candle_core::Result<()> {
        match self {
            Self::AdamW(optimiser) => optimiser.step(grads, rate),
            Self::Sgd(optimiser) => optimiser.step(grads, rate),
        }
    }
}
