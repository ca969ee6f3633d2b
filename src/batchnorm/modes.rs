//! Same files, same weights, two modes: how well a network does in train mode and in eval mode.
//!
//! In train mode a file is normalised together with others, so files are measured in batches of the
//! training's size, in the order given (shuffle it: a batch of one label is not like the set). In
//! eval mode a file's company does not matter. Nothing is kept, so looking changes nothing.

use super::PooledStatistics;
use crate::job::{Reporter, Stop};
use crate::model::{Embeddings, Forward, KeptStatistics, Mode, Network, picture_batch};
use crate::picture::{Encoded, PictureSpec, View};
use crate::search::Searcher;

/// How well it does in one mode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModeFigures {
    /// Files measured.
    pub files: usize,
    /// Files put to their own label.
    pub right: usize,
    /// Mean loss.
    pub loss: f64,
    /// The label that each file is put to; `None` where the scores are not numbers.
    pub said: Vec<Option<usize>>,
    /// Each file's embedding, in the order given.
    pub embeddings: Embeddings,
}

impl ModeFigures {
    /// Share of the files put to their own label, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.files.max(1) as f64
    }

    /// Share of the files whose nearest other file has their label, 0 to 1. `classes` are their labels;
    /// where they are fewer than the files, the first files are asked and answer alone.
    pub fn recall_at_1(&self, classes: &[usize]) -> f64 {
        let dimension = self.embeddings.dimension;
        let asked = classes.len().min(self.embeddings.len());
        let first = self.embeddings.data.get(..asked * dimension).unwrap_or_default();
        let first = Embeddings { dimension, data: first.to_vec() };
        // Two, since a file finds itself.
        let found = Searcher::new(&first).nearest(&first, &first, 2);
        let right = found.iter().zip(classes).enumerate().filter(|(i, (found, class))| {
            // Embeddings that are not numbers are near to nothing.
            let other = found.iter().find(|other| other.row != *i && !other.distance.is_nan());
            other.and_then(|other| classes.get(other.row)) == Some(*class)
        });
        right.count() as f64 / asked.max(1) as f64
    }

    fn take(&mut self, network: &Network, forward: &Forward, classes: &[usize]) -> Result<(), Stop> {
        let scores = network.scores(forward, false)?;
        let n = classes.len();
        self.loss = (self.loss * self.files as f64
            + f64::from(network.loss(&scores, classes)?.to_scalar::<f32>()?) * n as f64)
            / (self.files + n) as f64;
        for (row, class) in scores.to_vec2::<f32>()?.iter().zip(classes) {
            let said = highest(row);
            self.right += usize::from(said == Some(*class));
            self.said.push(said);
        }
        self.files += n;
        self.embeddings.dimension = network.dimension();
        self.embeddings.data.extend(forward.embeddings.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }
}

/// The first of the highest scores; `None` if any is not a number.
pub(super) fn highest(row: &[f32]) -> Option<usize> {
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
    /// Normalised by each batch's own statistics.
    pub train: ModeFigures,
    /// Normalised by what was kept. Without batch normalisation the same as `train`.
    pub eval: ModeFigures,
    /// The statistics of each layer over all the files: what it should have kept.
    pub truth: Vec<KeptStatistics>,
}

impl Compared {
    /// Files that the two modes put to different labels.
    pub fn flips(&self) -> usize {
        self.train.said.iter().zip(&self.eval.said).filter(|(a, b)| a != b).count()
    }
}

/// Measures `network` on `files` with their labels in both modes. Refuses nothing but an empty set.
pub fn compare(
    network: &Network,
    spec: PictureSpec,
    files: &[(&Encoded, usize)],
    batch_size: usize,
    reporter: &Reporter,
) -> Result<Compared, Stop> {
    if files.is_empty() {
        return Err(Stop::Failed("expected files to measure on, found none".into()));
    }
    let (train, truth) = in_mode(network, spec, files, batch_size, Mode::Train, reporter)?;
    let eval = if network.kept.is_empty() {
        train.clone()
    } else {
        in_mode(network, spec, files, batch_size, Mode::Eval, reporter)?.0
    };
    Ok(Compared { train, eval, truth })
}

/// Measures `network` on `files` in one mode; in train mode with the statistics of each batch-norm
/// layer over all of them.
pub fn in_mode(
    network: &Network,
    spec: PictureSpec,
    files: &[(&Encoded, usize)],
    batch_size: usize,
    mode: Mode,
    reporter: &Reporter,
) -> Result<(ModeFigures, Vec<KeptStatistics>), Stop> {
    let name = match mode {
        Mode::Train => "Measuring in train mode",
        Mode::Eval => "Measuring in eval mode",
    };
    let stage = reporter.stage(name, files.len());
    let mut figures = ModeFigures::default();
    let mut pools = vec![PooledStatistics::default(); network.kept.len()];
    for batch in in_batches(files, batch_size) {
        reporter.check()?;
        let views: Vec<_> = batch.iter().map(|(picture, _)| (*picture, View::Whole)).collect();
        let classes: Vec<usize> = batch.iter().map(|(_, class)| *class).collect();
        let forward = network.forward(&picture_batch(&views, spec)?, mode, false)?;
        for (pool, statistics) in pools.iter_mut().zip(&forward.statistics) {
            pool.add(statistics);
        }
        figures.take(network, &forward, &classes)?;
        stage.advance(batch.len());
    }
    Ok((figures, pools.iter().filter_map(PooledStatistics::kept).collect()))
}

/// Batches of `size`; a last one of less than half joins the one before, since few files together
/// are normalised badly.
pub fn in_batches<T>(files: &[T], size: usize) -> Vec<&[T]> {
    let size = size.max(1);
    let rest = files.len() % size;
    let whole = files.len() / size;
    if whole > 0 && rest * 2 < size {
        let (head, tail) = files.split_at((whole - 1) * size);
        head.chunks(size).chain([tail]).collect()
    } else {
        files.chunks(size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_rest_joins_the_batch_before() {
        let sizes = |n: usize| in_batches(&vec![0; n], 10).iter().map(|b| b.len()).collect::<Vec<_>>();
        assert_eq!(sizes(20), [10, 10]);
        assert_eq!(sizes(24), [10, 14]);
        assert_eq!(sizes(25), [10, 10, 5]);
        assert_eq!(sizes(3), [3]);
        assert_eq!(sizes(0), [0; 0]);
    }

    #[test]
    fn what_is_not_a_number_wins_nothing() {
        assert_eq!(highest(&[0.1, 0.5, 0.5]), Some(1));
        assert_eq!(highest(&[f32::NAN, 1.0]), None);
        assert_eq!(highest(&[]), None);
    }

    #[test]
    fn recall_leaves_the_file_itself_out() {
        let figures = ModeFigures {
            files: 3,
            embeddings: Embeddings { dimension: 2, data: vec![1.0, 0.0, 0.9, 0.1, 0.0, 1.0] },
            ..ModeFigures::default()
        };
        assert!((figures.recall_at_1(&[4, 4, 5]) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(figures.recall_at_1(&[4, 4]), 1.0, "the third is neither asked nor an answer");
        assert_eq!(figures.recall_at_1(&[]), 0.0);
    }
}
