//! A training between two steps: the network, the optimiser, what was kept, and the trace. Whoever
//! trains decides when to measure and when to stop.

use super::adamw::{self, AdamW};
use super::sampler::{Sampler, Shuffled};
use super::schedule::one_cycle;
use super::sgd::Sgd;
use super::{Labelled, Optimiser, Sampling, TrainConfig};
use crate::job::Stop;
use crate::model::{Init, ModelConfig, Network, NetworkState, Trace, picture_batch};
use crate::picture::{PictureSpec, View};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// It.
pub struct Trainer<'a> {
    data: &'a Labelled<'a>,
    config: &'a TrainConfig,
    /// The network as it is now, with what it has kept.
    pub network: Network,
    /// The statistics of every batch so far.
    pub trace: Trace,
    /// Batches so far.
    pub done: usize,
    /// Batches in all.
    pub steps: usize,
    optimiser: AnyOptimiser,
    source: Source,
    rng: ChaCha8Rng,
}

enum AnyOptimiser {
    AdamW(AdamW),
    Sgd(Sgd),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Source {
    Balanced(Sampler),
    Shuffled(Shuffled),
}

/// The configuration of a model for `data`, trained by `config`.
pub fn model_config(data: &Labelled<'_>, config: &TrainConfig) -> ModelConfig {
    ModelConfig {
        norm: config.norm,
        batch_norm: config.batch_norm,
        head: config.head,
        ..ModelConfig::new(data.set.spec, data.labels.clone())
    }
}

/// All that the next step depends on, besides the files and the settings.
#[derive(Serialize, Deserialize)]
pub struct State {
    done: usize,
    network: NetworkState,
    optimiser: OptimiserState,
    source: Source,
    rng: ChaCha8Rng,
    trace: Trace,
}

#[derive(Serialize, Deserialize)]
enum OptimiserState {
    AdamW(i32, Vec<Vec<[f32; 2]>>),
    Sgd(Vec<Vec<f32>>),
}

impl<'a> Trainer<'a> {
    /// Before the first of `steps` steps with `network` on `files` of `data`. What comes by chance
    /// comes from `rng`.
    pub fn new(
        data: &'a Labelled<'a>,
        files: &[usize],
        config: &'a TrainConfig,
        network: Network,
        steps: usize,
        rng: ChaCha8Rng,
    ) -> Result<Self, Stop> {
        if config.batch_size < 2 {
            return Err(Stop::Failed(format!(
                "expected a batch size of at least 2, found {}: one file alone has no variance to normalise by",
                config.batch_size
            )));
        }
        let vars = network.vars();
        let optimiser = match config.optimiser {
            Optimiser::AdamW => AnyOptimiser::AdamW(AdamW::new(vars, adamw::DECAY)),
            Optimiser::Adam => AnyOptimiser::AdamW(AdamW::new(vars, 0.0)),
            Optimiser::Sgd => AnyOptimiser::Sgd(Sgd::new(vars)),
        };
        let source = match config.sampling {
            Sampling::Balanced => Source::Balanced(Sampler::new(files, &data.classes, data.labels.len())),
            Sampling::Shuffled => Source::Shuffled(Shuffled::new(files)),
        };
        Ok(Self { data, config, network, trace: Trace::default(), done: 0, steps, optimiser, source, rng })
    }

    /// Where it stands.
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
            source: self.source.clone(),
            rng: self.rng.clone(),
            trace: self.trace.clone(),
        })
    }

    /// Goes on where another trainer of the same files and settings stood. Fails if it was none.
    pub fn restore(&mut self, state: State) -> Result<(), Stop> {
        let files = self.data.classes.len();
        let fits = match (&state.source, &self.source) {
            (Source::Balanced(given), Source::Balanced(_)) => given.fits(files),
            (Source::Shuffled(given), Source::Shuffled(_)) => given.fits(files),
            _ => false,
        };
        if !fits || state.done > self.steps {
            return Err(Stop::Failed(
                "the checkpoint is of another training: remove it and train again".into(),
            ));
        }
        match (&mut self.optimiser, state.optimiser) {
            (AnyOptimiser::AdamW(own), OptimiserState::AdamW(steps, moments)) => {
                own.restore(steps, moments)?
            }
            (AnyOptimiser::Sgd(own), OptimiserState::Sgd(velocities)) => own.restore(velocities)?,
            _ => {
                return Err(Stop::Failed(
                    "the checkpoint is of another optimiser: remove it and train again".into(),
                ));
            }
        }
        self.network.restore(state.network)?;
        (self.done, self.source, self.rng, self.trace) = (state.done, state.source, state.rng, state.trace);
        Ok(())
    }

    /// One step; returns the loss, which may have become something other than a number.
    pub fn step(&mut self) -> Result<f64, Stop> {
        let kind = self.data.set.spec.kind;
        let size = self.config.batch_size;
        let files = match &mut self.source {
            Source::Balanced(sampler) => sampler.draw(size, &mut self.rng),
            Source::Shuffled(shuffled) => shuffled.draw(size, &mut self.rng),
        };
        let (pictures, classes): (Vec<_>, Vec<_>) = self.data.files(files.iter()).into_iter().unzip();
        let views: Vec<_> = pictures
            .into_iter()
            .map(|picture| match self.config.sampling {
                Sampling::Balanced => (picture, View::random(kind, &mut self.rng)),
                Sampling::Shuffled => (picture, View::Whole),
            })
            .collect();
        let pictures = picture_batch(&views, self.data.set.spec)?;
        let lesson = self.network.learn(&pictures, &classes)?;
        let rate = match self.config.one_cycle {
            true => one_cycle(self.config.learning_rate, self.done, self.steps),
            false => self.config.learning_rate,
        };
        self.optimiser.step(&lesson.gradients, rate)?;
        let policy = &self.config.batch_norm;
        for (kept, batch) in self.network.kept.iter_mut().zip(&lesson.statistics) {
            kept.keep(batch, policy.weight(), policy.kept_variance);
        }
        if !lesson.statistics.is_empty() {
            self.trace.batches.push(lesson.statistics);
        }
        self.done += 1;
        Ok(lesson.loss)
    }

    /// How its pictures are made.
    pub fn spec(&self) -> PictureSpec {
        self.data.set.spec
    }

    /// How its weights began.
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
