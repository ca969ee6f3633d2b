//! Saying what of a library could not be read.

use super::run::{Run, Warning};
use crate::library::Library;

/// Warns if servers that keep a part of `library` did not answer when it was read last.
pub fn warn_if_missing(library: &Library, run: &Run<'_>) {
    if let Some(missing) = library.missing() {
        run.warn(Warning::ShardsMissing(missing));
    }
}
