//! The training loop: takes steps, measures at regular points, and writes checkpoints.

use super::checkpoint::{Checkpoints, LoopState};
use super::config::TrainConfig;
use super::labelled::Labelled;
use super::measure::MeasuredFiles;
use super::split::split;
use super::start::Start;
use super::trainer::Trainer;
use crate::batchnorm::recompute;
use crate::job::{Reporter, Stage, Stop};
use crate::model::{COMPARED, Epoch, Model, Norm, RepairRecord, StatisticsPolicy, Trace, TrainingSummary};
use crate::picture::{Encoded, PictureSet};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Number of measured points.
const POINTS: usize = 12;
/// Training files, and held-out files, used to measure recall, at most.
const RECALLED: usize = 512;

/// The result of a training.
pub struct Trained {
    /// The model; its configuration contains the history.
    pub model: Model,
    /// The step of the checkpoint that the training resumed from, if it did.
    pub resumed_at: Option<usize>,
    checkpoints: Option<Checkpoints>,
}

impl Trained {
    /// Removes the checkpoint. To be called once the model is saved. Returns a sentence if the last
    /// checkpoint could not be written.
    pub fn remove_checkpoint(&mut self) -> Option<String> {
        self.checkpoints.take().and_then(Checkpoints::remove)
    }
}

/// Trains a network with random weights on the labelled samples of `set`, which must have at least two labels. `on_epoch` is
/// called for each measured point. If cancelled, the result is the best network so far, if there is one.
pub fn train(
    set: &PictureSet,
    config: &TrainConfig,
    reporter: &Reporter,
    on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    run(set, config, Start::Random, None, reporter, on_epoch)
}

/// [`train`] from `start`, with checkpoints at `checkpoint`, if given. If there is one of this training, the training resumes
/// from it, and `on_epoch` is first called for the points measured before. [`Trained::remove_checkpoint`] removes it.
pub fn train_resumable(
    set: &PictureSet,
    config: &TrainConfig,
    start: Start<'_>,
    checkpoint: Option<&Path>,
    reporter: &Reporter,
    on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    run(set, config, start, checkpoint, reporter, on_epoch)
}

/// Continues the training of `model` with its weights and running statistics. `set` must have the labels of
/// `model`. With the seed of its first training the split is the same.
pub fn continue_training(
    set: &PictureSet,
    model: &Model,
    config: &TrainConfig,
    reporter: &Reporter,
    on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    run(set, config, Start::Further(model), None, reporter, on_epoch)
}

fn run(
    set: &PictureSet,
    config: &TrainConfig,
    start: Start<'_>,
    checkpoint: Option<&Path>,
    reporter: &Reporter,
    mut on_epoch: impl FnMut(&Epoch),
) -> Result<Trained, Stop> {
    let begun = Instant::now();
    let data = Labelled::new(set)?;
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let split = split(&data.classes, data.labels.len(), &mut rng);
    let steps = start.steps(config, split.train.len());
    let spec = start.spec(set.spec);
    let (mut model_config, mut network) = start.network(&data, config, &mut rng)?;
    let mut shuffled = split.train.clone();
    shuffled.shuffle(&mut rng);
    start.take_over(&mut network, &data, &shuffled)?;
    let measured = MeasuredFiles {
        spec,
        training: data.files(shuffled.iter().take(COMPARED)),
        library: data.files(shuffled.iter().take(RECALLED)),
        held_out: data.files(split.held_out.iter().take(RECALLED)),
    };
    let mut trainer = Trainer::new(&data, &split.train, config, network, steps, rng)?.with_spec(spec);
    // The batches of a continued training follow those of the training before.
    let earlier = start.further().and_then(|model| model.trace.as_deref().cloned()).unwrap_or_default();

    let mut checkpoints =
        checkpoint.map(|path| Checkpoints::new(path, &data, config, start.model())).transpose()?;
    let mut state = LoopState::default();
    let mut resumed_at = None;
    if let Some((trainer_state, loop_state)) = checkpoints.as_ref().and_then(Checkpoints::load) {
        trainer.restore(trainer_state)?;
        loop_state.history.iter().for_each(&mut on_epoch);
        (state, resumed_at) = (loop_state, Some(trainer.done));
    }
    let stage = reporter.stage("Training", steps);
    stage.resume(trainer.done);
    let before = state.seconds;
    let mut cancelled = false;
    while trainer.done < steps {
        if reporter.cancelled() {
            cancelled = true;
            break;
        }
        let loss = trainer.step()?;
        if !loss.is_finite() {
            // The resumed training would fail in the same way.
            checkpoints.take().map(Checkpoints::remove);
            return Err(Stop::failed(
                "expected a finite loss, found one that is not a number. Train again with a lower learning rate or with batch normalisation",
            ));
        }
        state.losses.push(loss);
        let done = trainer.done;
        report_loss(&stage, &state.losses);
        let measure = done * POINTS / steps > (done - 1) * POINTS / steps;
        if measure {
            let found = measured.measure(&mut trainer.network, config)?;
            let point = Epoch {
                epoch: (done * config.batch_size) as f64 / split.train.len().max(1) as f64,
                step: done,
                loss: state.losses.iter().sum::<f64>() / state.losses.len().max(1) as f64,
                train_mode_accuracy: found.train_mode,
                eval_mode_accuracy: found.eval_mode,
                recall_at_1: found.recall_at_1,
                seconds: before + begun.elapsed().as_secs_f64(),
            };
            state.losses.clear();
            on_epoch(&point);
            state.history.push(point);
            if !found.pooled.is_empty() {
                trainer.trace.pooled.push((done, found.pooled));
            }
            // Of equal scores the later is better.
            let score = found.recall_at_1.unwrap_or(found.train_mode);
            if done < steps && state.best.as_ref().is_none_or(|(so_far, _, _)| score >= *so_far) {
                state.best = Some((score, done, trainer.network.state()?));
            }
        }
        if let Some(checkpoints) = &mut checkpoints
            && done < steps
            && (measure || checkpoints.due())
        {
            state.seconds = before + begun.elapsed().as_secs_f64();
            checkpoints.write(trainer.state()?, &state);
        }
    }
    drop(stage);
    let (done, mut trace, mut network) = (trainer.done, trainer.trace, trainer.network);
    if cancelled {
        let Some((_, at, best)) = state.best else {
            checkpoints.take().map(Checkpoints::remove);
            return Err(Stop::Cancelled);
        };
        network.restore(best)?;
        trace.truncate(at);
    }
    let trace = append(earlier, trace);

    // The rest takes seconds and makes the model usable, so it also runs after a cancel.
    let silent = Reporter::silent();
    let reporter = if cancelled { &silent } else { reporter };
    if config.norm == Norm::Batch && config.batch_norm.statistics == StatisticsPolicy::Recompute {
        let pictures: Vec<&Encoded> =
            data.files(shuffled.iter()).into_iter().map(|(picture, _)| picture).collect();
        network.running = recompute(&network, spec, &pictures, config.batch_size, reporter)?;
    }
    let found = measured.measure(&mut network, config)?;
    let result = Epoch {
        train_mode_accuracy: found.train_mode,
        eval_mode_accuracy: found.eval_mode,
        recall_at_1: found.recall_at_1,
        seconds: before + begun.elapsed().as_secs_f64(),
        ..state.history.last().copied().unwrap_or_default()
    };
    if let Some(model) = start.further() {
        model_config.repairs.push(RepairRecord {
            source: model_config.source(),
            what: format!("trained for another {done} batches"),
            files: split.train.len(),
            from: model.hash.to_string(),
            eval_mode_accuracy_before: Some(model.config.training.result.eval_mode_accuracy),
            eval_mode_accuracy_after: Some(found.eval_mode),
        });
    }
    let mut calibrated_on = None;
    if let Some(base) =
        start.model().and_then(|_| Some((model_config.calibration?, model_config.calibration_with_labels)))
        && let Some((own, with_labels)) = measured.calibrate(&network, &base)?
    {
        (model_config.calibration, model_config.calibration_with_labels) = (Some(own), with_labels);
        calibrated_on = Some(measured.held_out.len());
    }
    model_config.training = TrainingSummary {
        seed: config.seed,
        files: split.train.len(),
        held_out: split.held_out.len(),
        batch_size: config.batch_size,
        steps: done,
        cancelled,
        unlike_above: found.unlike_above,
        shift_above: measured.shift_above(&network)?,
        calibrated_on,
        history: state.history,
        result,
    };
    let views = start.model().and_then(|model| model.views.clone());
    let model = Model::with_views(model_config, network, Some(Arc::new(trace)), views)?;
    Ok(Trained { model, resumed_at, checkpoints })
}

/// The trace of a training followed by that of its continuation.
fn append(mut earlier: Trace, later: Trace) -> Trace {
    let before = earlier.steps();
    earlier.batches.extend(later.batches);
    earlier.pooled.extend(later.pooled.into_iter().map(|(at, pooled)| (at + before, pooled)));
    earlier
}

/// Reports progress with the mean loss of the last ten steps.
fn report_loss(stage: &Stage<'_>, losses: &[f64]) {
    let recent = &losses[losses.len().saturating_sub(10)..];
    let mean = recent.iter().sum::<f64>() / recent.len().max(1) as f64;
    stage.advance_as(1, || format!("Training, loss {mean:.2}"));
}
