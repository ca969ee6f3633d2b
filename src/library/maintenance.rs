//! Maintenance of a library: checking that it is intact, and copying it while it is in use.

use super::LibraryError;
use std::path::Path;

/// The upkeep of a library.
pub trait Maintenance {
    /// The faults of what is stored, none if it is intact.
    fn check(&self) -> Result<Vec<String>, LibraryError>;

    /// Copies the library, as it is at this moment, to a file that does not exist yet. Others may use it
    /// meanwhile.
    fn back_up(&self, to: &Path) -> Result<(), LibraryError>;
}
