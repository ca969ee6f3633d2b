//! Train mode and eval mode compared on the same files with the same weights.
//!
//! In train mode a file is normalised together with others, so files are measured in batches of the
//! training's size, in the given order. The files should be shuffled, since a batch of one label does not
//! represent the set. In eval mode the rest of the batch has no effect. Measuring does not change the
//! network.

use super::batches::batches;
use super::pooled::Pool;
use crate::job::{Reporter, Stop};
use crate::model::{Embeddings, Forward, Mode, Network, RunningStatistics, picture_batch};
use crate::picture::{Encoded, PictureSpec, View};
use crate::search::Searcher;

/// The figures of one mode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModeFigures {
    /// Files measured.
    pub files: usize,
    /// Files classified correctly.
    pub correct: usize,
    /// Mean loss.
    pub loss: f64,
    /// The label that each file is assigned; `None` if the scores are not numbers.
    pub predicted: Vec<Option<usize>>,
    /// The embedding of each file, in the given order.
    pub embeddings: Embeddings,
}

impl ModeFigures {
    /// Share of the files classified correctly, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.files.max(1) as f64
    }

    /// Share of the files whose nearest other file has their label, 0 to 1. `classes` are their labels; if
    /// they are fewer than the files, only that many files from the first on are used.
    pub fn recall_at_1(&self, classes: &[usize]) -> f64 {
        let dimension = self.embeddings.dimension;
        let n = classes.len().min(self.embeddings.len());
        let first = self.embeddings.data.get(..n * dimension).unwrap_or_default();
        let first = Embeddings { dimension, data: first.to_vec() };
        // Two, since every file finds itself.
        let found = Searcher::new(&first).nearest(&first, &first, 2);
        let correct = found.iter().zip(classes).enumerate().filter(|(i, (found, class))| {
            // An embedding of NaN has no neighbours.
            let other = found.iter().find(|other| other.row != *i && !other.distance.is_nan());
            other.and_then(|other| classes.get(other.row)) == Some(*class)
        });
        correct.count() as f64 / n.max(1) as f64
    }

    /// Adds one batch.
    fn add(&mut self, network: &Network, forward: &Forward, classes: &[usize]) -> Result<(), Stop> {
        let scores = network.scores(forward, false)?;
        let n = classes.len();
        self.loss = (self.loss * self.files as f64
            + f64::from(network.loss(&scores, classes)?.to_scalar::<f32>()?) * n as f64)
            / (self.files + n) as f64;
        for (row, class) in scores.to_vec2::<f32>()?.iter().zip(classes) {
            let predicted = argmax(row);
            self.correct += usize::from(predicted == Some(*class));
            self.predicted.push(predicted);
        }
        self.files += n;
        self.embeddings.dimension = network.dimension();
        self.embeddings.data.extend(forward.embeddings.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }
}

/// The index of the highest score, the first of several; `None` if any is not a number.
pub(super) fn argmax(row: &[f32]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (i, score) in row.iter().enumerate() {
        if score.is_nan() {
            return None;
        }
        if best.is_none_or(|(_, so_far)| *score > so_far) {
            best = Some((i, *score));
        }
    }
    best.map(|(i, _)| i)
}

/// Both modes on the same files.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Normalised by the statistics of each batch.
    pub train: ModeFigures,
    /// Normalised by the running statistics. Without batch normalisation the same as `train`.
    pub eval: ModeFigures,
    /// The pooled statistics of each layer over all files.
    pub pooled: Vec<RunningStatistics>,
}

impl Compared {
    /// Files that the two modes classify differently.
    pub fn flips(&self) -> usize {
        self.train.predicted.iter().zip(&self.eval.predicted).filter(|(a, b)| a != b).count()
    }
}

/// Measures `network` on `files` with their labels in both modes. An error only if there are no files.
pub fn compare(
    network: &Network,
    spec: PictureSpec,
    files: &[(&Encoded, usize)],
    batch_size: usize,
    reporter: &Reporter,
) -> Result<Compared, Stop> {
    if files.is_empty() {
        return Err(Stop::failed("expected files to measure on, found none"));
    }
    let (train, pooled) = measure_mode(network, spec, files, batch_size, Mode::Train, reporter)?;
    let eval = if network.running.is_empty() {
        train.clone()
    } else {
        measure_mode(network, spec, files, batch_size, Mode::Eval, reporter)?.0
    };
    Ok(Compared { train, eval, pooled })
}

/// Measures `network` on `files` in one mode; in train mode also the pooled statistics of each batch-norm
/// layer.
pub fn measure_mode(
    network: &Network,
    spec: PictureSpec,
    files: &[(&Encoded, usize)],
    batch_size: usize,
    mode: Mode,
    reporter: &Reporter,
) -> Result<(ModeFigures, Vec<RunningStatistics>), Stop> {
    let name = match mode {
        Mode::Train => "Measuring in train mode",
        Mode::Eval => "Measuring in eval mode",
    };
    let stage = reporter.stage(name, files.len());
    let mut figures = ModeFigures::default();
    let mut pools = vec![Pool::default(); network.running.len()];
    for batch in batches(files, batch_size) {
        reporter.check()?;
        let views: Vec<_> = batch.iter().map(|(picture, _)| (*picture, View::Whole)).collect();
        let classes: Vec<usize> = batch.iter().map(|(_, class)| *class).collect();
        let forward = network.forward(&picture_batch(&views, spec)?, mode, false)?;
        for (pool, statistics) in pools.iter_mut().zip(&forward.statistics) {
            pool.add(statistics);
        }
        figures.add(network, &forward, &classes)?;
        stage.advance(batch.len());
    }
    Ok((figures, pools.iter().filter_map(Pool::statistics).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_are_not_numbers_have_no_maximum() {
        assert_eq!(argmax(&[0.1, 0.5, 0.5]), Some(1));
        assert_eq!(argmax(&[f32::NAN, 1.0]), None);
        assert_eq!(argmax(&[]), None);
    }

    #[test]
    fn recall_ignores_the_file_itself() {
        let figures = ModeFigures {
            files: 3,
            embeddings: Embeddings { dimension: 2, data: vec![1.0, 0.0, 0.9, 0.1, 0.0, 1.0] },
            ..ModeFigures::default()
        };
        assert!((figures.recall_at_1(&[4, 4, 5]) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(figures.recall_at_1(&[4, 4]), 1.0, "the third file is neither a query nor a neighbour");
        assert_eq!(figures.recall_at_1(&[]), 0.0);
    }
}
