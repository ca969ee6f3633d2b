//! The facts that a library keeps of its samples: looking samples up by their SHA-1 or MD5, and counting what is rare.

use super::LibraryError;
use crate::sample::{KeptFacts, Sha256};

/// In how many samples a trait is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Samples that have it.
    pub samples: usize,
    /// Samples of which it is known whether they have it.
    pub of: usize,
}

/// The facts of the samples of a library.
pub trait KeptTraits {
    /// The facts of a sample; `None` if it is not in the library, or was added by an earlier version.
    fn facts(&self, sha256: Sha256) -> Result<Option<KeptFacts>, LibraryError>;

    /// The samples with this SHA-1 (20 bytes) or MD5 (16 bytes). Either can be forged: there may be several.
    fn samples_by_digest(&self, digest: &[u8]) -> Result<Vec<Sha256>, LibraryError>;

    /// The number of samples without facts: those that an earlier version added and that were not read again.
    fn without_facts(&self) -> Result<usize, LibraryError>;

    /// Counts traits over all samples by their hashes, which are in ascending order, of each kind as in
    /// [`TraitKind::ALL`](crate::sample::TraitKind::ALL); the counts are in the same order. It reads the facts of all samples, some
    /// kilobytes each, once. It stops where `go_on` returns false, with what was counted so far.
    fn count_traits(
        &self,
        asked: &[Vec<u64>; 3],
        go_on: &dyn Fn() -> bool,
    ) -> Result<[Vec<Counted>; 3], LibraryError>;
}

/// Adds one sample's facts, as they are kept, to the counts of what was asked for. Facts that this program would not have written
/// count nothing.
pub fn count_in(kept: &[u8], asked: &[Vec<u64>; 3], counts: &mut [Vec<Counted>; 3]) {
    let Some(facts) = KeptFacts::from_bytes([0; 20], [0; 16], kept) else { return };
    for ((set, asked), counts) in facts.traits.iter().zip(asked).zip(counts) {
        for (has, count) in set.has_each(asked).zip(counts) {
            count.samples += usize::from(has == Some(true));
            count.of += usize::from(has.is_some());
        }
    }
}
