//! Repairs: other kept statistics for the same weights. The result is a new model whose configuration
//! says what was done; the one it was made from stays as it is.

use super::{Compared, ModeFigures, in_mode, moving_average};
use crate::job::{Reporter, Stop};
use crate::model::{KeptStatistics, Mode, Model, Norm, RepairRecord, StatisticsSource};
use crate::picture::Encoded;

/// Ways to mend the statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Repair {
    /// Over the files, with the weights frozen: neither start nor staleness is left.
    Recompute,
    /// Take the initial 0 and 1 out of the moving average: needs no files, leaves the staleness.
    RemoveStart,
    /// The plain average of all batches of the training, from its trace.
    Average,
    /// The moving average with another momentum, from its trace.
    Momentum(f64),
}

impl Repair {
    /// What it does, for people.
    pub fn text(self) -> String {
        match self {
            Self::Recompute => "statistics recomputed, weights frozen".into(),
            Self::RemoveStart => "initial 0 and 1 taken out of the moving average".into(),
            Self::Average => "plain average of the training's batches".into(),
            Self::Momentum(m) => format!("moving average with momentum {m}"),
        }
    }

    /// Why it cannot be done to this model; `None` if it can.
    pub fn obstacle(self, model: &Model) -> Option<&'static str> {
        if model.config.norm == Norm::None {
            return Some("this model has no batch normalisation: there is nothing to repair");
        }
        match self {
            Self::Recompute => None,
            Self::RemoveStart => match model.config.source() {
                StatisticsSource::Moving { .. } => None,
                _ => Some("these statistics are no moving average, so nothing of the start is in them"),
            },
            Self::Average | Self::Momentum(_) => {
                model.trace.is_none().then_some("the batches of this model's training were not recorded")
            }
        }
    }
}

/// A repaired model, and how it does in eval mode. In train mode it does as before.
pub struct Repaired {
    /// The model.
    pub model: Model,
    /// Eval mode on the files it was measured on.
    pub eval: ModeFigures,
}

/// `model` with other statistics, measured on `files` with their labels. `before` is what [`compare`]
/// found of it on these files, in the same batches: the truth that it measured is what recomputing
/// keeps.
///
/// [`compare`]: super::compare
pub fn repair(
    model: &Model,
    how: Repair,
    files: &[(&Encoded, usize)],
    batch_size: usize,
    before: &Compared,
    reporter: &Reporter,
) -> Result<Repaired, Stop> {
    if let Some(obstacle) = how.obstacle(model) {
        return Err(Stop::Failed(obstacle.into()));
    }
    let config = &model.config;
    let which = config.batch_norm.kept_variance;
    let replay = |momentum| {
        model.trace.as_ref().map(|trace| trace.replay(trace.steps(), momentum, which)).unwrap_or_default()
    };
    let (kept, source) = match how {
        Repair::Recompute => (before.truth.clone(), StatisticsSource::Recomputed),
        Repair::RemoveStart => {
            let momentum = config.batch_norm.momentum;
            (without_start(&model.network.kept, momentum)?, StatisticsSource::WithoutStart { momentum })
        }
        Repair::Average => (replay(None), StatisticsSource::Average),
        Repair::Momentum(momentum) => (replay(Some(momentum)), StatisticsSource::Moving { momentum }),
    };
    let mut network = model.network.duplicate()?;
    network.kept = kept;
    let (eval, _) = in_mode(&network, config.picture, files, batch_size, Mode::Eval, reporter)?;
    let mut config = config.clone();
    if let StatisticsSource::Moving { momentum } = source {
        config.batch_norm.momentum = momentum;
    }
    config.repairs.push(RepairRecord {
        source,
        what: how.text(),
        files: files.len(),
        from: model.hash.to_string(),
        eval_mode_accuracy_before: before.eval.accuracy(),
        eval_mode_accuracy_after: eval.accuracy(),
    });
    Ok(Repaired { model: Model::new(config, network, model.trace.clone())?, eval })
}

fn without_start(kept: &[KeptStatistics], momentum: f64) -> Result<Vec<KeptStatistics>, Stop> {
    let mended = kept.iter().map(|kept| {
        moving_average::without_start(kept, moving_average::start_weight(Some(momentum), kept.batches))
    });
    mended.collect::<Option<_>>().ok_or_else(|| {
        Stop::Failed(format!(
            "the initial 0 and 1 cannot be taken out: after {} batches with momentum {momentum} too little else is left, or another momentum was used. Recompute the statistics instead",
            kept.first().map_or(0, |kept| kept.batches)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batchnorm::compare;
    use crate::batchnorm::testing::{config, network, pictures};
    use crate::model::{StatisticsPolicy, Trace};
    use std::sync::Arc;

    /// An untrained model whose averages have seen `batches` batches with momentum 0.01.
    fn model(batches: usize, files: &[(&Encoded, usize)]) -> Model {
        let spec = pictures(1).1;
        let mut network = network(spec);
        let mut trace = Trace::default();
        for i in 0..batches {
            let batch = &files[(i * 16) % files.len()..][..16];
            let views: Vec<_> = batch.iter().map(|(p, _)| (*p, crate::picture::View::Whole)).collect();
            let pictures = crate::model::picture_batch(&views, spec).unwrap();
            let forward = network.forward(&pictures, crate::model::Mode::Train, false).unwrap();
            for (kept, batch) in network.kept.iter_mut().zip(&forward.statistics) {
                kept.keep(batch, Some(0.01), crate::model::KeptVariance::Unbiased);
            }
            trace.batches.push(forward.statistics);
        }
        let mut config = config(spec);
        config.batch_norm.statistics = StatisticsPolicy::Moving;
        config.batch_norm.momentum = 0.01;
        Model::new(config, network, Some(Arc::new(trace))).unwrap()
    }

    fn mend(model: &Model, how: Repair, files: &[(&Encoded, usize)]) -> Result<Model, Stop> {
        let quiet = Reporter::silent();
        let before = compare(&model.network, model.config.picture, files, 16, &quiet)?;
        Ok(repair(model, how, files, 16, &before, &quiet)?.model)
    }

    #[test]
    fn each_repair_brings_the_statistics_to_the_truth_of_frozen_weights() {
        let (pictures, spec) = pictures(64);
        let files: Vec<_> = pictures.iter().enumerate().map(|(i, p)| (p, i % 2)).collect();
        let broken = model(20, &files);
        let distance = |model: &Model| {
            let compared = compare(&model.network, spec, &files, 16, &Reporter::silent()).unwrap();
            let scales = model.network.scales().unwrap();
            let kept = model.network.kept.iter().zip(&compared.truth).zip(&scales);
            kept.map(|((kept, truth), gamma)| crate::batchnorm::layer(kept, truth, gamma, 1e-5).log_ratio)
                .fold(0.0, f64::max)
        };
        assert!(distance(&broken) > 0.5);
        let ways = [Repair::Recompute, Repair::RemoveStart, Repair::Average, Repair::Momentum(0.5)];
        for (how, within) in ways.into_iter().zip([1e-3, 0.1, 0.1, 0.1]) {
            let mended = mend(&broken, how, &files).unwrap();
            assert!(distance(&mended) < within, "{how:?}: {}", distance(&mended));
            let read = Model::from_bytes(mended.bytes.clone()).unwrap();
            assert_eq!(read.config.repairs[0].what, how.text());
            assert_eq!(read.config.repairs[0].from, broken.hash.to_string());
            assert_eq!(read.trace, broken.trace);
            assert_ne!(read.hash, broken.hash);
        }
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let (pictures, _) = pictures(64);
        let files: Vec<_> = pictures.iter().enumerate().map(|(i, p)| (p, i % 2)).collect();
        let fresh = model(1, &files);
        let refused = mend(&fresh, Repair::RemoveStart, &files);
        assert!(matches!(refused, Err(Stop::Failed(why)) if why.contains("after 1 batches")));
        let mended = mend(&fresh, Repair::Recompute, &files).unwrap();
        assert!(Repair::RemoveStart.obstacle(&mended).is_some());
        let mut bare = mended;
        bare.trace = None;
        assert!(Repair::Average.obstacle(&bare).is_some());
    }

    #[test]
    fn a_model_whose_statistics_are_not_numbers_is_read_refused_and_mended() {
        let (pictures, _) = pictures(64);
        let files: Vec<_> = pictures.iter().enumerate().map(|(i, p)| (p, i % 2)).collect();
        let whole = model(3, &files);
        let mut network = whole.network.duplicate().unwrap();
        network.kept[1].variance[2] = f32::NAN;
        let broken = Model::new(whole.config.clone(), network, None).unwrap();
        let broken = Model::from_bytes(broken.bytes).unwrap();
        assert_eq!(broken.broken_layers(), [1]);
        assert!(broken.usable().unwrap_err().to_string().contains("layer 2"));
        let mended = mend(&broken, Repair::Recompute, &files).unwrap();
        assert!(mended.usable().is_ok());
        assert_eq!(mended.config.repairs[0].eval_mode_accuracy_before, 0.0);
    }
}
