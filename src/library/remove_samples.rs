//! Removing samples from a library, and bringing them back.

use super::LibraryError;
use crate::sample::Sha256;

/// Removing from a library.
pub trait RemoveSamples {
    /// Removes samples: all of them or, on failure, none of them. They stay with their labels, their history and their embeddings,
    /// and nothing shows them. Returns the edit; `None` if there is none to remove. Fails if a sample is not in the library.
    fn remove(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError>;

    /// Brings removed samples back, as they were: all of them or, on failure, none of them. Returns the edit; `None` if none of
    /// them was removed. Fails if a sample never was in the library.
    fn restore(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError>;
}
