//! Repairs: other running statistics for the same weights. The result is a new model whose configuration
//! records what was done; the original model is not changed.

use super::modes::{Compared, ModeFigures, measure_mode};
use super::moving_average::{debias, initial_weight};
use super::recompute::recompute;
use crate::job::{Reporter, Stop};
use crate::model::{Mode, Model, Norm, RepairRecord, RunningStatistics, StatisticsSource};
use crate::picture::Encoded;

/// The ways to repair running statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Repair {
    /// Pool them over the files, with the weights frozen: removes the initial value's share and the
    /// staleness.
    Recompute,
    /// Remove the initial value's share from the moving average: needs no files, leaves the staleness.
    Debias,
    /// Use the plain average of all batches of the training, from its trace.
    Average,
    /// Use the moving average with another momentum, from its trace.
    Momentum(f64),
}

impl Repair {
    /// What it does, as text.
    pub fn text(self) -> String {
        match self {
            Self::Recompute => "statistics recomputed, weights frozen".into(),
            Self::Debias => "initial value removed from the moving average".into(),
            Self::Average => "plain average of the training's batches".into(),
            Self::Momentum(m) => format!("moving average with momentum {m}"),
        }
    }

    /// Why it cannot be applied to this model; `None` if it can.
    pub fn obstacle(self, model: &Model) -> Option<&'static str> {
        if model.config.norm == Norm::None {
            return Some(
                "expected a model with batch normalisation, found one without: there is nothing to repair",
            );
        }
        match self {
            Self::Recompute => None,
            Self::Debias => match model.config.source() {
                StatisticsSource::Moving { .. } => None,
                _ => Some(
                    "the running statistics are no moving average, so they contain no share of the initial value",
                ),
            },
            Self::Average | Self::Momentum(_) => {
                model.trace.is_none().then_some(
                    "expected a model with the recorded batches of its training, found one without. Recompute the statistics instead",
                )
            }
        }
    }
}

/// A repaired model and its figures in eval mode. Those in train mode do not change.
pub struct Repaired {
    /// The repaired model.
    pub model: Model,
    /// Its figures in eval mode on the files of the comparison.
    pub eval: ModeFigures,
}

/// Repairs `model` and measures the result on `files` with their labels. `before` is the result of
/// [`compare`](super::compare) for `model` on these files in the same batches; [`Repair::Recompute`] uses its
/// pooled statistics.
pub fn repair(
    model: &Model,
    how: Repair,
    files: &[(&Encoded, usize)],
    batch_size: usize,
    before: &Compared,
    reporter: &Reporter,
) -> Result<Repaired, Stop> {
    if let Some(obstacle) = how.obstacle(model) {
        return Err(Stop::failed(obstacle));
    }
    let config = &model.config;
    let which = config.batch_norm.running_variance;
    let replay = |momentum| {
        model.trace.as_ref().map(|trace| trace.replay(trace.steps(), momentum, which)).unwrap_or_default()
    };
    let (running, source) = match how {
        Repair::Recompute => (before.pooled.clone(), StatisticsSource::Recomputed),
        Repair::Debias => {
            let momentum = config.batch_norm.momentum;
            (debias_all(&model.network.running, momentum)?, StatisticsSource::Debiased { momentum })
        }
        Repair::Average => (replay(None), StatisticsSource::Average),
        Repair::Momentum(momentum) => (replay(Some(momentum)), StatisticsSource::Moving { momentum }),
    };
    let mut network = model.network.duplicate()?;
    network.running = running;
    let (eval, _) = measure_mode(&network, config.picture, files, batch_size, Mode::Eval, reporter)?;
    let mut config = config.clone();
    if let StatisticsSource::Moving { momentum } = source {
        config.batch_norm.momentum = momentum;
    }
    config.repairs.push(RepairRecord {
        source,
        what: how.text(),
        files: files.len(),
        from: model.hash.to_string(),
        eval_mode_accuracy_before: Some(before.eval.accuracy()),
        eval_mode_accuracy_after: Some(eval.accuracy()),
    });
    let repaired = Model::with_views(config, network, model.trace.clone(), model.views.clone())?;
    Ok(Repaired { model: repaired, eval })
}

/// Recomputes the statistics of `model` over `pictures`, which need no labels, in the order given. Nothing is measured.
pub fn recompute_over(model: &Model, pictures: &[&Encoded], reporter: &Reporter) -> Result<Model, Stop> {
    let how = Repair::Recompute;
    if let Some(obstacle) = how.obstacle(model) {
        return Err(Stop::failed(obstacle));
    }
    let mut config = model.config.clone();
    let batch_size = config.training.batch_size.max(2);
    let mut network = model.network.duplicate()?;
    network.running = recompute(&network, config.picture, pictures, batch_size, reporter)?;
    config.repairs.push(RepairRecord {
        source: StatisticsSource::Recomputed,
        what: how.text(),
        files: pictures.len(),
        from: model.hash.to_string(),
        eval_mode_accuracy_before: None,
        eval_mode_accuracy_after: None,
    });
    Ok(Model::with_views(config, network, model.trace.clone(), model.views.clone())?)
}

fn debias_all(layers: &[RunningStatistics], momentum: f64) -> Result<Vec<RunningStatistics>, Stop> {
    let debiased = layers.iter().map(|layer| debias(layer, initial_weight(Some(momentum), layer.batches)));
    debiased.collect::<Option<_>>().ok_or_else(|| {
        Stop::failed(format!(
            "the initial value cannot be removed: after {} batches with momentum {momentum} its weight is too large, or another momentum was used. Recompute the statistics instead",
            layers.first().map_or(0, |layer| layer.batches)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batchnorm::testing::{config, network, pictures};
    use crate::batchnorm::{compare, compare_layer};
    use crate::model::{StatisticsPolicy, Trace};
    use std::sync::Arc;

    /// An untrained model whose running statistics have seen `batches` batches with momentum 0.01.
    fn model(batches: usize, files: &[(&Encoded, usize)]) -> Model {
        let spec = pictures(1).1;
        let mut network = network(spec);
        let mut trace = Trace::default();
        for i in 0..batches {
            let batch = &files[(i * 16) % files.len()..][..16];
            let views: Vec<_> = batch.iter().map(|(p, _)| (*p, crate::picture::View::Whole)).collect();
            let pictures = crate::model::picture_batch(&views, spec).unwrap();
            let forward = network.forward(&pictures, Mode::Train, false).unwrap();
            for (running, batch) in network.running.iter_mut().zip(&forward.statistics) {
                running.update(batch, Some(0.01), crate::model::RunningVariance::Unbiased);
            }
            trace.batches.push(forward.statistics);
        }
        let mut config = config(spec);
        config.batch_norm.statistics = StatisticsPolicy::Moving;
        config.batch_norm.momentum = 0.01;
        Model::new(config, network, Some(Arc::new(trace))).unwrap()
    }

    fn repaired(model: &Model, how: Repair, files: &[(&Encoded, usize)]) -> Result<Model, Stop> {
        let quiet = Reporter::silent();
        let before = compare(&model.network, model.config.picture, files, 16, &quiet)?;
        Ok(repair(model, how, files, 16, &before, &quiet)?.model)
    }

    #[test]
    fn each_repair_brings_the_running_statistics_close_to_the_pooled_ones() {
        let (pictures, spec) = pictures(64);
        let files: Vec<_> = pictures.iter().enumerate().map(|(i, p)| (p, i % 2)).collect();
        let broken = model(20, &files);
        let distance = |model: &Model| {
            let compared = compare(&model.network, spec, &files, 16, &Reporter::silent()).unwrap();
            let scales = model.network.scales().unwrap();
            let layers = model.network.running.iter().zip(&compared.pooled).zip(&scales);
            layers
                .map(|((running, pooled), gamma)| compare_layer(running, pooled, gamma, 1e-5).log_ratio)
                .fold(0.0, f64::max)
        };
        assert!(distance(&broken) > 0.5);
        let ways = [Repair::Recompute, Repair::Debias, Repair::Average, Repair::Momentum(0.5)];
        for (how, within) in ways.into_iter().zip([1e-3, 0.1, 0.1, 0.1]) {
            let fixed = repaired(&broken, how, &files).unwrap();
            assert!(distance(&fixed) < within, "{how:?}: {}", distance(&fixed));
            let read = Model::from_bytes(fixed.bytes.clone()).unwrap();
            assert_eq!(read.config.repairs[0].what, how.text());
            assert_eq!(read.config.repairs[0].from, broken.hash.to_string());
            assert_eq!(read.trace, broken.trace);
            assert_ne!(read.hash, broken.hash);
        }
    }

    #[test]
    fn an_impossible_repair_gives_the_reason() {
        let (pictures, _) = pictures(64);
        let files: Vec<_> = pictures.iter().enumerate().map(|(i, p)| (p, i % 2)).collect();
        let fresh = model(1, &files);
        let refused = repaired(&fresh, Repair::Debias, &files);
        assert!(matches!(refused, Err(Stop::Failed(why)) if why.to_string().contains("after 1 batches")));
        let fixed = repaired(&fresh, Repair::Recompute, &files).unwrap();
        assert!(Repair::Debias.obstacle(&fixed).is_some());
        let mut bare = fixed;
        bare.trace = None;
        assert!(Repair::Average.obstacle(&bare).is_some());
    }

    #[test]
    fn a_model_whose_statistics_are_not_numbers_is_read_refused_and_repaired() {
        let (pictures, _) = pictures(64);
        let files: Vec<_> = pictures.iter().enumerate().map(|(i, p)| (p, i % 2)).collect();
        let whole = model(3, &files);
        let mut network = whole.network.duplicate().unwrap();
        network.running[1].variance[2] = f32::NAN;
        let broken = Model::new(whole.config, network, None).unwrap();
        let broken = Model::from_bytes(broken.bytes).unwrap();
        assert_eq!(broken.broken_layers(), [1]);
        assert!(broken.usable().unwrap_err().to_string().contains("layer 2"));
        let fixed = repaired(&broken, Repair::Recompute, &files).unwrap();
        assert!(fixed.usable().is_ok());
        assert_eq!(fixed.config.repairs[0].eval_mode_accuracy_before, Some(0.0));
    }
}
