//! The samples that a library keeps, with what its current model makes of them.

use super::{Contents, LibraryError};
use crate::sample::Sha256;
use std::path::PathBuf;

/// Reading the samples of a library.
pub trait StoredSamples {
    /// All samples and where they were read from.
    fn samples(&self) -> Result<Vec<(Sha256, PathBuf)>, LibraryError>;

    /// The number of samples.
    fn sample_count(&self) -> Result<usize, LibraryError>;

    /// The labels of all samples.
    fn labels(&self) -> Result<Vec<(Sha256, Option<String>)>, LibraryError>;

    /// Reads all samples that the current model has embedded. A library without a model has no contents.
    fn contents(&self) -> Result<Contents, LibraryError>;

    /// The same without what they look like, which of a large library is most of it: [`Contents::looks_in`].
    fn outline(&self) -> Result<Contents, LibraryError>;

    /// Stores the map of `contents`: a place for each sample. Stores nothing and returns `false` if the
    /// library has another current model or other samples by now.
    fn put_places(&mut self, contents: &Contents, places: &[[f32; 2]]) -> Result<bool, LibraryError>;

    /// The 32×32 RGB thumbnail of the sample with this id, if there is one.
    fn thumbnail(&self, id: i64) -> Result<Option<Vec<u8>>, LibraryError>;
}
