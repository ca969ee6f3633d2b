//! Sampling of batches: balanced (first a label, all equally likely, then one of its files, none twice before
//! all were drawn), or all files in random order, epoch by epoch.

use rand::Rng;
use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

/// Draws files balanced by label.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BalancedSampler {
    labels: Vec<Cycle>,
}

/// The files of one label in random order, again and again.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cycle {
    files: Vec<usize>,
    next: usize,
}

impl BalancedSampler {
    /// A sampler of `files`, where `classes[file]` is the label, below `labels`. Labels without files are
    /// never drawn.
    pub fn new(files: &[usize], classes: &[usize], labels: usize) -> Self {
        let mut cycles: Vec<Cycle> = (0..labels).map(|_| Cycle { files: Vec::new(), next: 0 }).collect();
        for file in files {
            cycles[classes[*file]].files.push(*file);
        }
        cycles.retain(|cycle| !cycle.files.is_empty());
        Self { labels: cycles }
    }

    /// Whether every file it draws is below `files`.
    pub fn fits(&self, files: usize) -> bool {
        self.labels
            .iter()
            .all(|cycle| cycle.next < cycle.files.len() && cycle.files.iter().all(|file| *file < files))
    }

    /// The next `count` files; empty if there are no files.
    pub fn draw(&mut self, count: usize, rng: &mut impl Rng) -> Vec<usize> {
        if self.labels.is_empty() {
            return Vec::new();
        }
        (0..count)
            .map(|_| {
                let at = rng.random_range(0..self.labels.len());
                self.labels[at].draw(rng)
            })
            .collect()
    }
}

/// Draws all files in random order, epoch by epoch. The last batch of an epoch may be smaller; a last batch
/// of a single file, which could not be normalised, joins the batch before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShuffledSampler {
    files: Vec<usize>,
    left: Vec<usize>,
}

impl ShuffledSampler {
    /// A sampler of `files`.
    pub fn new(files: &[usize]) -> Self {
        Self { files: files.to_vec(), left: Vec::new() }
    }

    /// Whether every file it draws is below `files`.
    pub fn fits(&self, files: usize) -> bool {
        self.files.iter().chain(&self.left).all(|file| *file < files)
    }

    /// The next batch of `count` files, or the rest of the epoch.
    pub fn draw(&mut self, count: usize, rng: &mut impl Rng) -> Vec<usize> {
        if self.left.is_empty() {
            self.left.clone_from(&self.files);
            self.left.shuffle(rng);
        }
        let rest = self.left.len().saturating_sub(count);
        self.left.split_off(if rest == 1 { 0 } else { rest })
    }
}

impl Cycle {
    fn draw(&mut self, rng: &mut impl Rng) -> usize {
        if self.next == 0 {
            self.files.shuffle(rng);
        }
        let file = self.files[self.next];
        self.next = (self.next + 1) % self.files.len();
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn an_epoch_has_each_file_once_and_no_batch_of_one() {
        let files: Vec<usize> = (0..21).collect();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut shuffled = ShuffledSampler::new(&files);
        for _ in 0..3 {
            let (first, second) = (shuffled.draw(10, &mut rng), shuffled.draw(10, &mut rng));
            assert_eq!((first.len(), second.len()), (10, 11));
            let mut all = [first, second].concat();
            all.sort_unstable();
            assert_eq!(all, files);
        }
    }

    #[test]
    fn labels_are_balanced_and_files_take_turns() {
        let classes: Vec<usize> = [vec![0; 90], vec![1; 10]].concat();
        let files: Vec<usize> = (0..100).collect();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let drawn = BalancedSampler::new(&files, &classes, 2).draw(2000, &mut rng);
        let rare: Vec<usize> = drawn.into_iter().filter(|file| classes[*file] == 1).collect();
        assert!((900..1100).contains(&rare.len()));
        for file in 90..100 {
            let times = rare.iter().filter(|drawn| **drawn == file).count();
            assert!(times.abs_diff(rare.len() / 10) <= 1);
        }
    }
}
