//! Running it: one training a seed and kind of network, measured at each of the steps asked for.

use super::{Figures, Policy, Row, Setup};
use crate::batchnorm::{ModeFigures, in_mode, layer};
use crate::job::{Reporter, Stop};
use crate::model::{Init, KeptStatistics, KeptVariance, Mode, Network, Norm};
use crate::picture::{Encoded, PictureSet};
use crate::training::{Labelled, Trainer, model_config};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

/// Files on which recall is measured, at most: it takes all pairs of them.
const RECALLED: usize = 2048;

/// Trains and measures as `setup` says on the labelled samples of `set`. `on_row` is told of each
/// row as it is measured, with its seed; the result holds all of them in that order. A training
/// whose loss is no longer a number stays where it is, and is measured all the same.
pub fn run(
    set: &PictureSet,
    setup: &Setup,
    reporter: &Reporter,
    mut on_row: impl FnMut(&Row, u64),
) -> Result<Vec<Row>, Stop> {
    let data = Labelled::new(set)?;
    let mut rows = Vec::new();
    for seed in &setup.seeds {
        for (norm, init) in networks(&setup.policies) {
            let mut tell = |row: Row| {
                on_row(&row, *seed);
                rows.push(row);
            };
            one(&data, setup, norm, init, *seed, reporter, &mut tell)?;
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
            Policy::Without(init) => (Norm::None, *init),
        };
        if !out.contains(&network) {
            out.push(network);
        }
    }
    out
}

fn one(
    data: &Labelled<'_>,
    setup: &Setup,
    norm: Norm,
    init: Init,
    seed: u64,
    reporter: &Reporter,
    tell: &mut dyn FnMut(Row),
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
    let mut lost = false;
    for step in &setup.steps {
        let stage = reporter.stage(&format!("Seed {seed}, {name}: training to step {step}"), *step);
        stage.advance(trainer.done);
        while trainer.done < *step && !lost {
            reporter.check()?;
            lost = !trainer.step()?.is_finite();
            stage.advance(1);
        }
        drop(stage);
        measure(setup, &mut trainer, &files, *step, reporter, tell)?;
    }
    Ok(())
}

fn measure(
    setup: &Setup,
    trainer: &mut Trainer<'_>,
    files: &[(&Encoded, usize)],
    step: usize,
    reporter: &Reporter,
    tell: &mut dyn FnMut(Row),
) -> Result<(), Stop> {
    let spec = trainer.spec();
    let batch_size = setup.batch_size;
    let with = !trainer.network.kept.is_empty();
    let (found, truth) = in_mode(&trainer.network, spec, files, batch_size, Mode::Train, reporter)?;
    let train = figures(&found, files);
    let scales = trainer.network.scales()?;
    let epsilon = trainer.network.epsilon();
    let began = trainer.init();
    let mut in_eval_mode = |kept: Vec<KeptStatistics>| {
        let so_far = std::mem::replace(&mut trainer.network.kept, kept);
        let found = in_mode(&trainer.network, spec, files, batch_size, Mode::Eval, reporter);
        trainer.network.kept = so_far;
        Ok::<_, Stop>(figures(&found?.0, files))
    };
    let recomputed = if with { in_eval_mode(truth.clone())? } else { train };
    for policy in &setup.policies {
        let momentum = match (policy, with) {
            (Policy::Moving(momentum), true) => Some(*momentum),
            (Policy::Average, true) => None,
            (Policy::Without(init), false) if began == *init => {
                let row = Row { policy: *policy, step, modes: [train; 3], layer_distances: Vec::new() };
                tell(row);
                continue;
            }
            _ => continue,
        };
        let kept = trainer.trace.replay(step, momentum, KeptVariance::Unbiased);
        let layer_distances = kept
            .iter()
            .zip(&truth)
            .zip(&scales)
            .map(|((kept, truth), gamma)| layer(kept, truth, gamma, epsilon).distance)
            .collect();
        let modes = [train, in_eval_mode(kept)?, recomputed];
        tell(Row { policy: *policy, step, modes, layer_distances });
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
            label: Some(["dark", "bright"][i % 2].to_owned()),
        });
        PictureSet { spec, samples: samples.collect(), pictures }
    }

    #[test]
    fn one_run_tells_every_policy_and_recomputing_brings_train_mode_back() {
        let setup = Setup {
            steps: vec![3, 12],
            seeds: vec![1],
            files: Some(80),
            batch_size: 16,
            convolutions: vec![(8, 1), (8, 2)],
            ..Setup::reference(set().spec)
        };
        let mut told = 0;
        let rows = run(&set(), &setup, &Reporter::silent(), |_, seed| {
            assert_eq!(seed, 1);
            told += 1;
        })
        .unwrap();
        assert_eq!((rows.len(), told), (10, 10));
        for row in &rows {
            let [train, eval, recomputed] = row.modes;
            match row.policy {
                Policy::Without(_) => assert_eq!(train, eval),
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
