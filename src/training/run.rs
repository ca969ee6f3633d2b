//! The loop: draw a batch, go forward and back, step, keep the batch's statistics, and measure now
//! and then.

use super::adamw::AdamW;
use super::measure::Measured;
use super::objective::cosine_softmax;
use super::sampler::Sampler;
use super::schedule::one_cycle;
use super::{Split, TrainConfig, split};
use crate::batchnorm::recompute;
use crate::job::{Reporter, Stage, Stop};
use crate::model::{
    BatchNormPolicy, Epoch, Forward, Mode, Model, ModelConfig, Network, Norm, StatisticsPolicy,
    TrainingSummary, picture_batch,
};
use crate::picture::{Encoded, PictureSet, View};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

/// Points of the curve.
const POINTS: usize = 12;
/// Files on which train mode and eval mode are compared, at most.
const COMPARED: usize = 256;
/// Training files that answer when recall is measured during training, at most.
const ANSWERS: usize = 512;

/// What training made.
pub struct Trained {
    /// The model, with its history in its configuration.
    pub model: Model,
    /// Which files it was trained on, as indices of the set's samples.
    pub split: Split,
}

/// Trains on the labelled samples of `set`; samples without a label are left out. Needs at least
/// two labels. `on_epoch` is told of each measured point. When cancelled, the best network so far
/// is the result, if there is one.
pub fn train(
    set: &PictureSet,
    config: &TrainConfig,
    reporter: &Reporter,
    mut on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    let begun = Instant::now();
    let data = Labelled::new(set)?;
    if config.batch_size < 2 {
        return Err(Stop::Failed(format!(
            "expected a batch size of at least 2, found {}: one file alone has no variance to normalise by",
            config.batch_size
        )));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let split = split(&data.classes, data.labels.len(), &mut rng);
    let steps = config.steps(split.train.len());
    let mut model_config = ModelConfig::new(set.spec, data.labels.clone());
    model_config.norm = config.norm;
    model_config.batch_norm = config.batch_norm;
    let mut network = Network::new(&model_config, &mut rng)?;
    let mut sampler = Sampler::new(&split.train, &data.classes, data.labels.len());
    let mut shuffled = split.train.clone();
    shuffled.shuffle(&mut rng);
    let measured = Measured {
        spec: set.spec,
        training: data.files(shuffled.iter().take(COMPARED)),
        answers: data.files(shuffled.iter().take(ANSWERS)),
        held_back: data.files(split.held_back.iter().take(ANSWERS)),
    };
    let mut optimizer = AdamW::new(network.vars());

    let stage = reporter.stage("Training", steps);
    let mut history: Vec<Epoch> = Vec::new();
    let mut best: Option<(f64, Network)> = None;
    let (mut losses, mut done, mut cancelled) = (Vec::new(), 0, false);
    while done < steps {
        if reporter.cancelled() {
            cancelled = true;
            break;
        }
        let batch = data.batch(&sampler.draw(config.batch_size, &mut rng), &mut rng);
        let rate = one_cycle(config.learning_rate, done, steps);
        losses.push(step(&mut network, &mut optimizer, rate, set, &batch, &config.batch_norm)?);
        done += 1;
        tell(&stage, &losses);
        if done * POINTS / steps > (done - 1) * POINTS / steps {
            let found = measured.measure(&mut network, config)?;
            let point = Epoch {
                epoch: (done * config.batch_size) as f64 / split.train.len().max(1) as f64,
                step: done,
                loss: losses.iter().sum::<f64>() / losses.len().max(1) as f64,
                train_mode_accuracy: found.train_mode,
                eval_mode_accuracy: found.eval_mode,
                recall_at_1: found.recall_at_1,
                seconds: begun.elapsed().as_secs_f64(),
            };
            losses.clear();
            on_epoch(&point);
            history.push(point);
            // Later is better where recall says the same.
            let score = found.recall_at_1.unwrap_or(found.train_mode);
            if done < steps && best.as_ref().is_none_or(|(so_far, _)| score >= *so_far) {
                best = Some((score, network.duplicate()?));
            }
        }
    }
    drop(stage);
    if cancelled {
        network = best.ok_or(Stop::Cancelled)?.1;
    }

    // What follows takes seconds and makes the model usable: a cancelled training gets it too.
    let quiet = Reporter::silent();
    let watcher = if cancelled { &quiet } else { reporter };
    if config.norm == Norm::Batch && config.batch_norm.statistics == StatisticsPolicy::Recompute {
        let pictures: Vec<&Encoded> =
            data.files(shuffled.iter()).into_iter().map(|(picture, _)| picture).collect();
        network.kept = recompute(&network, set.spec, &pictures, config.batch_size, watcher)?;
    }
    let found = measured.measure(&mut network, config)?;
    let result = Epoch {
        train_mode_accuracy: found.train_mode,
        eval_mode_accuracy: found.eval_mode,
        recall_at_1: found.recall_at_1,
        seconds: begun.elapsed().as_secs_f64(),
        ..history.last().copied().unwrap_or_default()
    };
    model_config.training = TrainingSummary {
        seed: config.seed,
        files: split.train.len(),
        held_back: split.held_back.len(),
        batch_size: config.batch_size,
        steps: done,
        cancelled,
        history,
        result,
    };
    let split = data.in_set(split);
    Ok(Trained { model: Model::new(model_config, network)?, split })
}

/// The samples of a set that have a label.
struct Labelled<'a> {
    set: &'a PictureSet,
    /// Index in the set of each labelled sample.
    members: Vec<usize>,
    classes: Vec<usize>,
    labels: Vec<String>,
}

/// Pictures, how each is seen, and their labels.
struct Batch<'a> {
    views: Vec<(&'a Encoded, View)>,
    classes: Vec<usize>,
}

impl<'a> Labelled<'a> {
    fn new(set: &'a PictureSet) -> Result<Self, Stop> {
        let mut labels: Vec<String> = set.samples.iter().filter_map(|sample| sample.label.clone()).collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.len() < 2 {
            return Err(Stop::Failed(format!(
                "expected a folder with at least two labels (FOLDER/<label>/<files>), found {}. Put the files of each family into a folder of its own, and open the folder that holds those",
                match labels.first() {
                    Some(only) => format!("only \"{}\"", crate::escape::text(only)),
                    None => "none".to_owned(),
                }
            )));
        }
        let (mut members, mut classes) = (Vec::new(), Vec::new());
        for (i, sample) in set.samples.iter().enumerate() {
            if let Some(class) = sample.label.as_ref().and_then(|label| labels.binary_search(label).ok()) {
                members.push(i);
                classes.push(class);
            }
        }
        Ok(Self { set, members, classes, labels })
    }

    fn files<'i>(&self, files: impl Iterator<Item = &'i usize>) -> Vec<(&'a Encoded, usize)> {
        files.map(|file| (&self.set.pictures[self.members[*file]], self.classes[*file])).collect()
    }

    fn batch(&self, files: &[usize], rng: &mut ChaCha8Rng) -> Batch<'a> {
        let kind = self.set.spec.kind;
        let (pictures, classes): (Vec<_>, Vec<_>) = self.files(files.iter()).into_iter().unzip();
        let views = pictures.into_iter().map(|picture| (picture, View::random(kind, rng))).collect();
        Batch { views, classes }
    }

    fn in_set(&self, split: Split) -> Split {
        let there = |files: Vec<usize>| files.into_iter().map(|file| self.members[file]).collect();
        Split { train: there(split.train), held_back: there(split.held_back) }
    }
}

/// One step; returns the loss.
fn step(
    network: &mut Network,
    optimizer: &mut AdamW,
    rate: f64,
    set: &PictureSet,
    batch: &Batch<'_>,
    policy: &BatchNormPolicy,
) -> Result<f64, Stop> {
    let pictures = picture_batch(&batch.views, set.spec)?;
    let Forward { embeddings, statistics } = network.forward(&pictures, Mode::Train, true)?;
    let loss = cosine_softmax(&network.cosines(&embeddings, true)?, &batch.classes)?;
    optimizer.step(&loss.backward()?, rate)?;
    let momentum = match policy.statistics {
        StatisticsPolicy::Average => None,
        StatisticsPolicy::Moving | StatisticsPolicy::Recompute => Some(policy.momentum),
    };
    for (kept, batch) in network.kept.iter_mut().zip(&statistics) {
        kept.keep(batch, momentum);
    }
    let loss = f64::from(loss.to_scalar::<f32>()?);
    if loss.is_finite() {
        Ok(loss)
    } else {
        Err(Stop::Failed("the loss is no longer a number: train again with a lower learning rate or with batch normalisation".into()))
    }
}

/// Progress with the loss of the last few steps.
fn tell(stage: &Stage<'_>, losses: &[f64]) {
    let recent = &losses[losses.len().saturating_sub(10)..];
    let mean = recent.iter().sum::<f64>() / recent.len().max(1) as f64;
    stage.advance_as(1, || format!("Training, loss {mean:.2}"));
}
