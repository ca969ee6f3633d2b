//! Runs an experiment: one training per seed and kind of network, measured at each step of the setup.

use super::row::{Figures, Row};
use super::setup::{Policy, Setup};
use crate::batchnorm::{ModeFigures, compare_layer, measure_mode};
use crate::job::{Reporter, Stage, Stop};
use crate::model::{Init, Mode, Network, Norm, RunningStatistics, RunningVariance};
use crate::picture::{Encoded, PictureSet};
use crate::training::{Labelled, Trainer, model_config};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

/// Files on which recall is measured, at most: its time grows with their square.
const RECALLED: usize = 2048;
/// Passes of a file that its part of a training step takes: forward, and backward twice as long.
const STEP: usize = 3;

/// Trains and measures as in `setup` on the labelled samples of `set`. `on_row` is called for each measured
/// row, with its seed; the result holds all rows in that order. A training whose loss is no longer finite
/// stops and is still measured at the remaining steps.
pub fn run(
    set: &PictureSet,
    setup: &Setup,
    reporter: &Reporter,
    mut on_row: impl FnMut(&Row, u64),
) -> Result<Vec<Row>, Stop> {
    let data = Labelled::new(set)?;
    let mut rows = Vec::new();
    let files = setup.files.unwrap_or(usize::MAX).min(data.classes.len());
    let all: usize = networks(&setup.policies).iter().map(|(norm, _)| work(setup, *norm, files)).sum();
    let stage = reporter.stage("Training networks", all * setup.seeds.len());
    for seed in &setup.seeds {
        for (norm, init) in networks(&setup.policies) {
            let mut add = |row: Row| {
                on_row(&row, *seed);
                rows.push(row);
            };
            train_one(&data, setup, norm, init, *seed, (reporter, &stage), &mut add)?;
        }
    }
    Ok(rows)
}

/// The networks that the policies need.
fn networks(policies: &[Policy]) -> Vec<(Norm, Init)> {
    let mut out = Vec::new();
    for policy in policies {
        let network = match policy {
            Policy::Moving(_) | Policy::Average => (Norm::Batch, Init::Default),
            Policy::NoBatchNorm(init) => (Norm::None, *init),
        };
        if !out.contains(&network) {
            out.push(network);
        }
    }
    out
}

/// The work that one network takes, in passes of a file through it: a training step takes about three for each file of its
/// batch.
fn work(setup: &Setup, norm: Norm, files: usize) -> usize {
    let last = setup.steps.last().copied().unwrap_or(0);
    STEP * last * setup.batch_size + setup.steps.len() * measuring(setup, norm, files)
}

/// The part of it that measuring takes, at each step.
fn measuring(setup: &Setup, norm: Norm, files: usize) -> usize {
    let of_statistics = |policy: &&Policy| matches!(policy, Policy::Moving(_) | Policy::Average);
    match norm {
        Norm::Batch => files * (2 + setup.policies.iter().filter(of_statistics).count()),
        Norm::None => files,
    }
}

/// Trains one network and measures it at each step.
fn train_one(
    data: &Labelled<'_>,
    setup: &Setup,
    norm: Norm,
    init: Init,
    seed: u64,
    (reporter, stage): (&Reporter, &Stage<'_>),
    add: &mut dyn FnMut(Row),
) -> Result<(), Stop> {
    let config = setup.training(norm, init, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen: Vec<usize> = (0..data.classes.len()).collect();
    chosen.shuffle(&mut rng);
    chosen.truncate(setup.files.unwrap_or(usize::MAX));
    let files = data.files(chosen.iter());
    let mut model = model_config(data, &config);
    model.convolutions.clone_from(&setup.convolutions);
    let network = Network::new(&model, init, &mut rng)?;
    let last = setup.steps.last().copied().unwrap_or(0);
    let mut trainer = Trainer::new(data, &chosen, &config, network, last, rng)?;
    let name = match norm {
        Norm::Batch => "with batch norm",
        Norm::None => "without batch norm",
    };
    let (mut diverged, mut before) = (false, 0);
    for step in &setup.steps {
        let units = STEP * setup.batch_size;
        while trainer.done < *step && !diverged {
            reporter.check()?;
            diverged = !trainer.step()?.is_finite();
            let done = trainer.done;
            stage.advance_as(units, || format!("Seed {seed}, {name}: step {done} of {last}"));
        }
        // One that stopped early is not trained any further.
        stage.advance(units * step.saturating_sub(trainer.done.max(before)));
        before = *step;
        measure(setup, &mut trainer, &files, *step, &reporter.quietly(), add)?;
        stage.advance(measuring(setup, norm, files.len()));
    }
    Ok(())
}

/// Measures a network under every policy that applies to it.
fn measure(
    setup: &Setup,
    trainer: &mut Trainer<'_>,
    files: &[(&Encoded, usize)],
    step: usize,
    reporter: &Reporter,
    add: &mut dyn FnMut(Row),
) -> Result<(), Stop> {
    let spec = trainer.spec();
    let batch_size = setup.batch_size;
    let normalised = !trainer.network.running.is_empty();
    let (found, pooled) = measure_mode(&trainer.network, spec, files, batch_size, Mode::Train, reporter)?;
    let train = figures(&found, files);
    let scales = trainer.network.scales()?;
    let epsilon = trainer.network.epsilon();
    let init = trainer.init();
    let mut in_eval_mode = |running: Vec<RunningStatistics>| {
        let present = std::mem::replace(&mut trainer.network.running, running);
        let found = measure_mode(&trainer.network, spec, files, batch_size, Mode::Eval, reporter);
        trainer.network.running = present;
        Ok::<_, Stop>(figures(&found?.0, files))
    };
    let recomputed = if normalised { in_eval_mode(pooled.clone())? } else { train };
    for policy in &setup.policies {
        let momentum = match (policy, normalised) {
            (Policy::Moving(momentum), true) => Some(*momentum),
            (Policy::Average, true) => None,
            (Policy::NoBatchNorm(of), false) if init == *of => {
                let row = Row { policy: *policy, step, modes: [train; 3], layer_distances: Vec::new() };
                add(row);
                continue;
            }
            _ => continue,
        };
        let running = trainer.trace.replay(step, momentum, RunningVariance::Unbiased);
        let layer_distances = running
            .iter()
            .zip(&pooled)
            .zip(&scales)
            .map(|((running, pooled), gamma)| compare_layer(running, pooled, gamma, epsilon).distance)
            .collect();
        let modes = [train, in_eval_mode(running)?, recomputed];
        add(Row { policy: *policy, step, modes, layer_distances });
    }
    Ok(())
}

fn figures(found: &ModeFigures, files: &[(&Encoded, usize)]) -> Figures {
    let classes: Vec<usize> = files.iter().take(RECALLED).map(|(_, class)| *class).collect();
    Figures { accuracy: found.accuracy(), loss: found.loss, recall_at_1: found.recall_at_1(&classes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batchnorm::testing;
    use crate::sample::{Sample, Sha256};
    use std::path::PathBuf;

    fn set() -> PictureSet {
        let (pictures, spec) = testing::pictures(96);
        let samples = (0..96).map(|i| Sample {
            path: PathBuf::from(i.to_string()),
            sha256: Sha256([i as u8; 32]),
            size: 1,
            kind: crate::sample::FileKind::Other,
            architecture: None,
            facts: None,
            label: Some(["dark", "bright"][i % 2].to_owned()),
        });
        PictureSet { spec, samples: samples.collect(), pictures }
    }

    #[test]
    fn one_run_has_rows_for_every_policy_and_recomputing_restores_train_mode() {
        let setup = Setup {
            steps: vec![3, 12],
            seeds: vec![1],
            files: Some(80),
            batch_size: 16,
            convolutions: vec![(8, 1), (8, 2)],
            ..Setup::reference(set().spec)
        };
        let mut called = 0;
        let rows = run(&set(), &setup, &Reporter::silent(), |_, seed| {
            assert_eq!(seed, 1);
            called += 1;
        })
        .unwrap();
        assert_eq!((rows.len(), called), (10, 10));
        for row in &rows {
            let [train, eval, recomputed] = row.modes;
            match row.policy {
                Policy::NoBatchNorm(_) => assert_eq!(train, eval),
                _ => {
                    assert_eq!(row.layer_distances.len(), 2);
                    assert!((train.accuracy - recomputed.accuracy).abs() <= 0.1, "{row:?}");
                }
            }
        }
        let last = |policy| rows.iter().find(|row| row.policy == policy && row.step == 12).unwrap();
        let (fast, slow) = (last(Policy::Moving(0.1)), last(Policy::Moving(0.01)));
        let distance = |row: &Row| row.layer_distances.iter().sum::<f64>();
        assert!(distance(slow) > distance(fast), "{} {}", distance(slow), distance(fast));
        assert_eq!(fast.modes[0], slow.modes[0]);
        assert!(fast.modes[2].accuracy > 0.9);
        assert_eq!(rows, run(&set(), &setup, &Reporter::silent(), |_, _| ()).unwrap());
    }
}
