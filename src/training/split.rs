//! The held-out split: files that are not trained on, to measure recall.

use rand::Rng;
use rand::seq::SliceRandom as _;

/// Share of each label's files that is held out.
const HELD_OUT: f64 = 0.1;
/// A label with fewer files has none held out.
const MIN_FILES: usize = 5;

/// Indices of files, each once, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Files to train on.
    pub train: Vec<usize>,
    /// Files to measure recall on.
    pub held_out: Vec<usize>,
}

/// Splits files by label: of each label with at least five files a tenth, and at least one, is held out.
/// `classes[i]` is the label of file `i`, below `labels`.
pub fn split(classes: &[usize], labels: usize, rng: &mut impl Rng) -> Split {
    let mut members = vec![Vec::new(); labels];
    for (file, class) in classes.iter().enumerate() {
        members[*class].push(file);
    }
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    for mut files in members {
        files.shuffle(rng);
        let count = if files.len() < MIN_FILES {
            0
        } else {
            ((files.len() as f64 * HELD_OUT).round() as usize).max(1)
        };
        held_out.extend(files.drain(..count));
        train.extend(files);
    }
    train.sort_unstable();
    held_out.sort_unstable();
    Split { train, held_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn part_of_each_large_label_is_held_out_and_no_file_is_lost() {
        let classes: Vec<usize> = [vec![0; 40], vec![1; 5], vec![2; 4]].concat();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let split = split(&classes, 3, &mut rng);
        let held: Vec<usize> = split.held_out.iter().map(|i| classes[*i]).collect();
        assert_eq!(held, [0, 0, 0, 0, 1]);
        let mut all = [split.train, split.held_out].concat();
        all.sort_unstable();
        assert_eq!(all, (0..49).collect::<Vec<_>>());
    }
}
