//! Preparing a library for searches that do not read all of it.

use crate::job::{Reporter, Stop};

/// What was done so that a search need not read every sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// A file: searches read an index beside it, and are exact.
    Exact {
        /// Samples that it has. The others are so few that they are read from the file.
        samples: usize,
    },
    /// A database: it has an index of what its current model makes of samples, and answers from it are approximate.
    Index {
        /// Samples in it.
        samples: usize,
        /// Samples of which a vector was made for it.
        vectors: usize,
        /// Whether it was made, and not there already.
        made: bool,
        /// Whether the library is so large that searches use it.
        used: bool,
    },
}

/// Making what a search of a large library reads.
pub trait Prepare {
    /// Makes an index for the current model. Others may use the library meanwhile. What is there already is kept, so it can be done
    /// again, and cancelled.
    ///
    /// # Errors
    /// A role that does not own the tables; a library without a model.
    fn prepare(&mut self, reporter: &Reporter) -> Result<Prepared, Stop>;

    /// The same for what was just added, where that is not left to someone else.
    fn after_adding(&mut self, reporter: &Reporter) -> Result<(), Stop>;
}
