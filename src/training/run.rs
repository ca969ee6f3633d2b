//! The loop: step, and measure now and then.

use super::checkpoint::{Checkpoints, Course};
use super::measure::Measured;
use super::trainer::{Trainer, model_config};
use super::{Labelled, Split, TrainConfig, split};
use crate::batchnorm::recompute;
use crate::job::{Reporter, Stage, Stop};
use crate::model::{Epoch, Model, Network, Norm, RepairRecord, StatisticsPolicy, Trace, TrainingSummary};
use crate::picture::{Encoded, PictureSet};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::sync::Arc;
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
    /// The step at which a checkpoint was taken up, if one was.
    pub resumed_at: Option<usize>,
    checkpoints: Option<Checkpoints>,
}

impl Trained {
    /// To be called once the model is where it is kept: removes the checkpoint. One sentence if
    /// checkpoints could not be written.
    pub fn finish(&mut self) -> Option<String> {
        self.checkpoints.take().and_then(Checkpoints::finish)
    }
}

/// Trains on the labelled samples of `set`; samples without a label are left out. Needs at least
/// two labels. `on_epoch` is told of each measured point. When cancelled, the best network so far
/// is the result, if there is one.
pub fn train(
    set: &PictureSet,
    config: &TrainConfig,
    reporter: &Reporter,
    on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    run(set, config, None, None, reporter, on_epoch)
}

/// Likewise, with checkpoints at `checkpoint`: where there is one of this very training, it goes on from
/// there, and `on_epoch` is told of what was measured before. [`Trained::finish`] removes it.
pub fn train_resumable(
    set: &PictureSet,
    config: &TrainConfig,
    checkpoint: Option<&Path>,
    reporter: &Reporter,
    on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    run(set, config, None, checkpoint, reporter, on_epoch)
}

/// Goes on training `model`, whose labels `set` must have, with what it has kept so far. The split
/// is the one of its first training if `config` has its seed.
pub fn train_on(
    set: &PictureSet,
    model: &Model,
    config: &TrainConfig,
    reporter: &Reporter,
    on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    run(set, config, Some(model), None, reporter, on_epoch)
}

fn run(
    set: &PictureSet,
    config: &TrainConfig,
    start: Option<&Model>,
    checkpoint: Option<&Path>,
    reporter: &Reporter,
    mut on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    let begun = Instant::now();
    let data = Labelled::new(set)?;
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let split = split(&data.classes, data.labels.len(), &mut rng);
    let steps = config.steps(split.train.len());
    let mut model_config = model_config(&data, config);
    let network = match start {
        None => Network::new(&model_config, config.init, &mut rng)?,
        Some(model) => {
            if model.config.labels != data.labels || model.config.picture != set.spec {
                return Err(Stop::Failed(format!(
                    "expected the {} labels that the model was trained on, found {} others or other files. Open the folder it was trained on",
                    model.config.labels.len(),
                    data.labels.len()
                )));
            }
            model_config = model.config.clone();
            model_config.batch_norm = config.batch_norm;
            model_config.repairs.clear();
            model.network.duplicate()?
        }
    };
    let mut shuffled = split.train.clone();
    shuffled.shuffle(&mut rng);
    let measured = Measured {
        spec: set.spec,
        training: data.files(shuffled.iter().take(COMPARED)),
        answers: data.files(shuffled.iter().take(ANSWERS)),
        held_back: data.files(split.held_back.iter().take(ANSWERS)),
    };
    let mut trainer = Trainer::new(&data, &split.train, config, network, steps, rng)?;
    // The batches of a training that goes on follow those that went before.
    let earlier = start.and_then(|model| model.trace.as_deref().cloned()).unwrap_or_default();

    let mut checkpoints = checkpoint.map(|path| Checkpoints::new(path, &data, config, start));
    let mut course = Course::default();
    let mut resumed_at = None;
    if let Some((state, before)) = checkpoints.as_ref().and_then(Checkpoints::load) {
        trainer.restore(state)?;
        before.history.iter().for_each(&mut on_epoch);
        (course, resumed_at) = (before, Some(trainer.done));
    }
    let stage = reporter.stage("Training", steps);
    stage.resume(trainer.done);
    let before = course.seconds;
    let mut cancelled = false;
    while trainer.done < steps {
        if reporter.cancelled() {
            cancelled = true;
            break;
        }
        let loss = trainer.step()?;
        if !loss.is_finite() {
            // It would come to the same again.
            checkpoints.take().map(Checkpoints::finish);
            return Err(Stop::Failed("the loss is no longer a number: train again with a lower learning rate or with batch normalisation".into()));
        }
        course.losses.push(loss);
        let done = trainer.done;
        tell(&stage, &course.losses);
        let measure = done * POINTS / steps > (done - 1) * POINTS / steps;
        if measure {
            let found = measured.measure(&mut trainer.network, config)?;
            let point = Epoch {
                epoch: (done * config.batch_size) as f64 / split.train.len().max(1) as f64,
                step: done,
                loss: course.losses.iter().sum::<f64>() / course.losses.len().max(1) as f64,
                train_mode_accuracy: found.train_mode,
                eval_mode_accuracy: found.eval_mode,
                recall_at_1: found.recall_at_1,
                seconds: before + begun.elapsed().as_secs_f64(),
            };
            course.losses.clear();
            on_epoch(&point);
            course.history.push(point);
            if !found.truth.is_empty() {
                trainer.trace.truths.push((done, found.truth));
            }
            // Later is better where recall says the same.
            let score = found.recall_at_1.unwrap_or(found.train_mode);
            if done < steps && course.best.as_ref().is_none_or(|(so_far, _, _)| score >= *so_far) {
                course.best = Some((score, done, trainer.network.state()?));
            }
        }
        if let Some(checkpoints) = &mut checkpoints
            && done < steps
            && (measure || checkpoints.due())
        {
            course.seconds = before + begun.elapsed().as_secs_f64();
            checkpoints.write(trainer.state()?, &course);
        }
    }
    drop(stage);
    let (done, mut trace, mut network) = (trainer.done, trainer.trace, trainer.network);
    if cancelled {
        let Some((_, at, best)) = course.best else {
            checkpoints.take().map(Checkpoints::finish);
            return Err(Stop::Cancelled);
        };
        network.restore(best)?;
        trace.truncate(at);
    }
    let trace = following(earlier, trace);

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
        seconds: before + begun.elapsed().as_secs_f64(),
        ..course.history.last().copied().unwrap_or_default()
    };
    if let Some(model) = start {
        model_config.repairs.push(RepairRecord {
            source: model_config.source(),
            what: format!("trained on for {done} batches"),
            files: split.train.len(),
            from: model.hash.to_string(),
            eval_mode_accuracy_before: model.config.training.result.eval_mode_accuracy,
            eval_mode_accuracy_after: found.eval_mode,
        });
    }
    model_config.training = TrainingSummary {
        seed: config.seed,
        files: split.train.len(),
        held_back: split.held_back.len(),
        batch_size: config.batch_size,
        steps: done,
        cancelled,
        history: course.history,
        result,
    };
    let split = data.in_set(split);
    let model = Model::new(model_config, network, Some(Arc::new(trace)))?;
    Ok(Trained { model, split, resumed_at, checkpoints })
}

/// One trace of two trainings of which the second went on from the first.
fn following(mut earlier: Trace, later: Trace) -> Trace {
    let before = earlier.steps();
    earlier.batches.extend(later.batches);
    earlier.truths.extend(later.truths.into_iter().map(|(at, truth)| (at + before, truth)));
    earlier
}

/// Progress with the loss of the last few steps.
fn tell(stage: &Stage<'_>, losses: &[f64]) {
    let recent = &losses[losses.len().saturating_sub(10)..];
    let mean = recent.iter().sum::<f64>() / recent.len().max(1) as f64;
    stage.advance_as(1, || format!("Training, loss {mean:.2}"));
}
