//! The trace as tensors of a model file. Of the batches: `trace{layer}.mean` and `.variance`,
//! `[step][channel]`, and `trace{layer}.count`, `[step]`. Of the pooled statistics: `truth.steps`, `[point]`,
//! and `truth{layer}.mean` and `.variance`, `[point][channel]`.

use super::config::{ModelConfig, Norm};
use super::statistics::{BatchStatistics, RunningStatistics};
use super::trace::{MAX_STEPS, Trace};

/// Name, shape and numbers of a tensor.
pub type Named = (String, Vec<usize>, Vec<f32>);

/// The tensors of a trace.
pub fn tensors(trace: &Trace) -> Vec<Named> {
    let steps = trace.steps();
    let layers = trace.batches.first().map_or(0, Vec::len);
    let mut out = Vec::new();
    for layer in 0..layers {
        let batches = || trace.batches.iter().filter_map(|batch| batch.get(layer));
        let channels = batches().next().map_or(0, |batch| batch.mean.len());
        let shape = vec![steps, channels];
        let mean = batches().flat_map(|batch| batch.mean.iter().copied()).collect();
        let variance = batches().flat_map(|batch| batch.variance.iter().copied()).collect();
        let count = batches().map(|batch| batch.count as f32).collect();
        out.push((format!("trace{layer}.mean"), shape.clone(), mean));
        out.push((format!("trace{layer}.variance"), shape, variance));
        out.push((format!("trace{layer}.count"), vec![steps], count));
        let pooled = || trace.pooled.iter().filter_map(|(_, layers)| layers.get(layer));
        let shape = vec![trace.pooled.len(), channels];
        let mean = pooled().flat_map(|layer| layer.mean.iter().copied()).collect();
        let variance = pooled().flat_map(|layer| layer.variance.iter().copied()).collect();
        out.push((format!("truth{layer}.mean"), shape.clone(), mean));
        out.push((format!("truth{layer}.variance"), shape, variance));
    }
    let at = trace.pooled.iter().map(|(step, _)| *step as f32).collect();
    out.push(("truth.steps".into(), vec![trace.pooled.len()], at));
    out
}

/// The trace in a model file; `None` if there is none, or it does not match the model. The trace explains the
/// model and is not needed to use it, so a damaged trace does not make the model unreadable.
pub fn read(config: &ModelConfig, find: impl Fn(&str) -> Option<(Vec<usize>, Vec<f32>)>) -> Option<Trace> {
    if config.norm != Norm::Batch {
        return None;
    }
    let (_, pooled_steps) = find("truth.steps")?;
    let mut trace = Trace {
        batches: Vec::new(),
        pooled: pooled_steps.iter().map(|at| (*at as usize, Vec::new())).collect(),
    };
    for (layer, channels) in config.all_layers().iter().map(|layer| &layer.filters).enumerate() {
        let (_, counts) = find(&format!("trace{layer}.count"))?;
        let steps = counts.len();
        if !(1..=MAX_STEPS).contains(&steps) {
            return None;
        }
        let rows = |name: String, rows: usize| {
            let (shape, values) = find(&name)?;
            let fits = shape == [rows, *channels] && values.iter().all(|v| v.is_finite());
            fits.then(|| values.chunks_exact(*channels).map(<[f32]>::to_vec).collect::<Vec<_>>())
        };
        trace.batches.resize_with(steps, Vec::new);
        let means = rows(format!("trace{layer}.mean"), steps)?;
        let variances = rows(format!("trace{layer}.variance"), steps)?;
        let read = trace.batches.iter_mut().zip(means.into_iter().zip(variances)).zip(counts);
        for ((batch, (mean, variance)), count) in read {
            batch.push(BatchStatistics { mean, variance, count: count as usize });
        }
        let means = rows(format!("truth{layer}.mean"), trace.pooled.len())?;
        let variances = rows(format!("truth{layer}.variance"), trace.pooled.len())?;
        for ((_, layers), (mean, variance)) in trace.pooled.iter_mut().zip(means.into_iter().zip(variances)) {
            layers.push(RunningStatistics { mean, variance, batches: 0 });
        }
    }
    Some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::PictureSpec;

    #[test]
    fn a_trace_is_read_as_it_was_written_and_a_damaged_one_is_ignored() {
        let mut config = ModelConfig::new(PictureSpec::BYTES, vec!["a".into()]);
        config.convolutions = vec![(2, 1), (3, 1)];
        let layer =
            |c: usize, at: f32| BatchStatistics { mean: vec![at; c], variance: vec![at; c], count: 7 };
        let pooled = |c: usize| RunningStatistics { mean: vec![1.0; c], variance: vec![2.0; c], batches: 0 };
        let trace = Trace {
            batches: (0..4).map(|i| vec![layer(2, i as f32), layer(3, 0.5)]).collect(),
            pooled: vec![(2, vec![pooled(2), pooled(3)]), (4, vec![pooled(2), pooled(3)])],
        };
        let written = tensors(&trace);
        let find = |skip: &'static str| {
            let written = &written;
            move |name: &str| {
                let found = written.iter().find(|(n, _, _)| n == name && *n != skip)?;
                Some((found.1.clone(), found.2.clone()))
            }
        };
        assert_eq!(read(&config, find("")), Some(trace));
        assert_eq!(read(&config, find("trace1.mean")), None);
        config.convolutions = vec![(2, 1), (4, 1)];
        assert_eq!(read(&config, find("")), None);
    }
}
