//! An inspected file: its path and its facts.

use crate::sample::Facts;
use std::path::PathBuf;

/// The facts of one file or archive member.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    /// Where it was read from.
    pub path: PathBuf,
    /// Its facts.
    pub facts: Facts,
}
