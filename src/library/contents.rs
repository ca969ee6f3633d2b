//! A library as it is held in memory to answer questions: samples and the vectors of one model,
//! row by row.

use crate::model::{Embeddings, Model};
use crate::sample::Sha256;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// One sample of the library.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its row in the library file.
    pub id: i64,
    /// Its digest.
    pub sha256: Sha256,
    /// Where it was read from.
    pub path: PathBuf,
    /// Its label, if it has one.
    pub label: Option<String>,
    /// Bytes.
    pub size: u64,
    /// What its content is, by [`crate::sample::FileKind::name`].
    pub kind: String,
    /// The processor it was built for, if known.
    pub architecture: Option<String>,
}

/// What one model says of a library.
#[derive(Default)]
pub struct Contents {
    /// The model that answers; `None` in an empty library.
    pub model: Option<Arc<Model>>,
    /// The samples that the model has embedded, in the order in which they were added.
    pub entries: Vec<Entry>,
    /// `embeddings.row(i)` is that of `entries[i]`.
    pub embeddings: Embeddings,
    /// Places on the map, for all entries or for none.
    pub places: Vec<[f32; 2]>,
    /// The places are a first sketch that the library does not keep.
    pub provisional: bool,
    /// Why not all could be read, if the file is damaged.
    pub damage: Option<String>,
    /// Samples in the library that this model has not embedded.
    pub others: usize,
}

impl Contents {
    /// Row of each digest.
    pub fn rows(&self) -> HashMap<Sha256, usize> {
        self.entries.iter().enumerate().map(|(row, entry)| (entry.sha256, row)).collect()
    }

    /// Each label and its number of samples, sorted by name; `None` stands for no label.
    pub fn label_counts(&self) -> Vec<(Option<String>, usize)> {
        let mut counts = std::collections::BTreeMap::<Option<&str>, usize>::new();
        for entry in &self.entries {
            *counts.entry(entry.label.as_deref()).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(label, n)| (label.map(str::to_owned), n)).collect();
        // Those without a label come last.
        if counts.first().is_some_and(|(label, _)| label.is_none()) {
            counts.rotate_left(1);
        }
        counts
    }
}
