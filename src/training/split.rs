//! The held-back split: files that training never sees, on which recall is measured.

use rand::Rng;
use rand::seq::SliceRandom as _;

/// Share of each label's files that is held back.
const HELD_BACK: f64 = 0.1;
/// A label with fewer files than this keeps them all for training.
const LABEL_NEEDS: usize = 5;

/// Indices of files, each once, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// To train on.
    pub train: Vec<usize>,
    /// To measure on.
    pub held_back: Vec<usize>,
}

/// Splits files by label: of each label with at least five files a tenth, and at least one, is
/// held back. `classes[i]` is the label of file `i`, below `labels`.
pub fn split(classes: &[usize], labels: usize, rng: &mut impl Rng) -> Split {
    let mut members = vec![Vec::new(); labels];
    for (file, class) in classes.iter().enumerate() {
        members[*class].push(file);
    }
    let (mut train, mut held_back) = (Vec::new(), Vec::new());
    for mut files in members {
        files.shuffle(rng);
        let count = if files.len() < LABEL_NEEDS {
            0
        } else {
            ((files.len() as f64 * HELD_BACK).round() as usize).max(1)
        };
        held_back.extend(files.drain(..count));
        train.extend(files);
    }
    train.sort_unstable();
    held_back.sort_unstable();
    Split { train, held_back }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn each_large_label_is_held_back_in_part_and_no_file_is_lost() {
        let classes: Vec<usize> = [vec![0; 40], vec![1; 5], vec![2; 4]].concat();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let split = split(&classes, 3, &mut rng);
        let held: Vec<usize> = split.held_back.iter().map(|i| classes[*i]).collect();
        assert_eq!(held, [0, 0, 0, 0, 1]);
        let mut all = [split.train, split.held_back].concat();
        all.sort_unstable();
        assert_eq!(all, (0..49).collect::<Vec<_>>());
    }
}
