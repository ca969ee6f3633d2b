//! A record: the facts of one sample that never change. Its label and its place on the map are kept apart,
//! in [`Labels`] and [`Contents`].
//!
//! [`Labels`]: super::Labels
//! [`Contents`]: super::Contents

use crate::sample::Sha256;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The facts of one sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its row id in the library file.
    pub id: i64,
    /// The SHA-256 of its content.
    pub sha256: Sha256,
    /// Where it was read from.
    pub path: PathBuf,
    /// Size in bytes.
    pub size: u64,
    /// The file format, by [`crate::sample::FileKind::name`].
    pub kind: Arc<str>,
    /// The processor it was built for, if known.
    pub architecture: Option<Arc<str>>,
}

/// One sample as panels, tables and jobs see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Its position in the contents it came from. Only valid for those contents: keep the SHA-256 instead.
    pub row: usize,
    /// Its row id in the library file.
    pub id: i64,
    /// The SHA-256 of its content.
    pub sha256: Sha256,
    /// Where it was read from.
    pub path: &'a Path,
    /// Its label, if it has one.
    pub label: Option<&'a str>,
    /// The position of its label in [`Labels::counts`], which also holds "no label".
    ///
    /// [`Labels::counts`]: super::Labels::counts
    pub label_index: usize,
    /// Size in bytes.
    pub size: u64,
    /// The file format.
    pub kind: &'a str,
    /// The processor it was built for, if known.
    pub architecture: Option<&'a str>,
    /// Its place on the map, if there is a map.
    pub place: Option<[f32; 2]>,
}
