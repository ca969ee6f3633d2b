//! The queried samples, newest last, each once. A sample is found by its hash without a search.

use crate::sample::Sha256;
use crate::workflow::Queried;
use std::collections::{HashMap, HashSet};
use std::ops::Deref;

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
    /// Appends samples. One that is in the list already moves to the end.
    pub fn extend(&mut self, queried: Vec<Queried>) {
        let new: HashSet<Sha256> = queried.iter().map(|queried| queried.sample.sha256).collect();
        self.list.retain(|queried| !new.contains(&queried.sample.sha256));
        self.list.extend(queried);
        self.index();
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
