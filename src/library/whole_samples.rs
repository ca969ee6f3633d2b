//! Samples whole, out of a library and into one.

use super::{Added, Import, LibraryError, WholeSample};
use crate::sample::Sha256;

/// Which samples are read whole.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// The next ones by their row ids: after this one, at most so many.
    After(i64, usize),
    /// Those with these hashes.
    Of(&'a [Sha256]),
}

/// Samples whole, out of a library and into one.
pub trait WholeSamples {
    /// Samples that are not removed, with their row ids, in the order of these.
    fn whole_samples(&self, wanted: Wanted<'_>) -> Result<Vec<(i64, WholeSample)>, LibraryError>;

    /// Stores samples with what they lack: all or nothing, and durable once this returns. The library holds the models already;
    /// what others make of the samples is left out. A sample that is in the library keeps its label; one without takes the new
    /// one. One that was removed is in the library again.
    fn put_whole(&mut self, samples: &[WholeSample], import: &mut Import) -> Result<Added, LibraryError>;
}
