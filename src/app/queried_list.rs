//! The queried samples, newest last, each once. A sample is found by its hash without a search.

use crate::sample::Sha256;
use crate::workflow::Queried;
use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// Queried samples in order.
#[derive(Default)]
pub struct QueriedList {
    list: Vec<Queried>,
    /// Position of each sample in `list`.
    positions: HashMap<Sha256, usize>,
    /// Changes whenever the list or a sample in it does.
    edition: u64,
}

impl QueriedList {
    /// Appends samples. One that is in the list already moves to the end; if it was found elsewhere before, both paths are
    /// returned, the former one first.
    pub fn extend(&mut self, queried: Vec<Queried>) -> Vec<(PathBuf, PathBuf)> {
        let new: HashMap<Sha256, &Path> =
            queried.iter().map(|queried| (queried.sample.sha256, &*queried.sample.path)).collect();
        let mut same = Vec::new();
        self.list.retain(|queried| {
            let Some(now) = new.get(&queried.sample.sha256) else { return true };
            if *now != queried.sample.path {
                same.push((queried.sample.path.clone(), now.to_path_buf()));
            }
            false
        });
        self.list.extend(queried);
        self.index();
        same
    }

    /// Removes samples.
    pub fn remove(&mut self, samples: &[Sha256]) {
        let samples: HashSet<&Sha256> = samples.iter().collect();
        self.list.retain(|queried| !samples.contains(&queried.sample.sha256));
        self.index();
    }

    /// Removes all samples.
    pub fn clear(&mut self) {
        self.list.clear();
        self.index();
    }

    /// The sample with this hash.
    pub fn find(&self, sha256: Sha256) -> Option<&Queried> {
        self.list.get(*self.positions.get(&sha256)?)
    }

    /// Changes whenever the list or a sample in it does.
    pub fn edition(&self) -> u64 {
        self.edition
    }

    /// The sample with this hash, to be changed.
    pub fn find_mut(&mut self, sha256: Sha256) -> Option<&mut Queried> {
        self.edition += 1;
        self.list.get_mut(*self.positions.get(&sha256)?)
    }

    fn index(&mut self) {
        self.edition += 1;
        self.positions = self.list.iter().map(|queried| queried.sample.sha256).zip(0..).collect();
    }
}

impl Deref for QueriedList {
    type Target = [Queried];

    fn deref(&self) -> &[Queried] {
        &self.list
    }
}
