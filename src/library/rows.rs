//! Rows: the samples of a library in one order, as they are read from it.

use super::row::Listed;
use super::{Location, Record};
use crate::search::{Look, Looks};
use std::collections::HashSet;
use std::sync::Arc;

/// The rows of a library, in one order. Texts that many of them have, as kinds and labels, are kept once.
#[derive(Default)]
pub struct Rows {
    /// The samples.
    pub records: Vec<Record>,
    /// Their labels.
    pub labels: Vec<Option<Arc<str>>>,
    /// What they look like; nothing in an outline.
    pub looks: Looks,
    /// The library in which the looks are, for an outline.
    pub looks_in: Option<Location>,
    /// Their places on the map, as far as they have one; empty for none.
    pub places: Vec<Option<[f32; 2]>>,
    /// Why not all could be read, if the library is damaged.
    pub damage: Option<String>,
    /// Samples in the library that this model has not embedded.
    pub others: usize,
    /// The texts that are kept.
    texts: HashSet<Arc<str>>,
}

impl Rows {
    /// None yet, with embeddings of this length.
    pub fn new(dimension: usize) -> Self {
        Self { looks: Looks::new(dimension), ..Self::default() }
    }

    /// Adds a sample; `look` is what it looks like, which an outline has not.
    pub fn push(&mut self, listed: Listed, look: Option<&Look>) {
        let Listed { record, label, place } = listed;
        let Record { kind, architecture, .. } = &record;
        let (kind, architecture) = (self.kept(kind), architecture.as_ref().map(|name| self.kept(name)));
        let label = label.map(|label| self.kept(&label));
        self.records.push(Record { kind, architecture, ..record });
        self.labels.push(label);
        self.places.push(place);
        if let Some(look) = look {
            self.looks.push(look);
        }
    }

    /// This text as it is kept.
    fn kept(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some(kept) = self.texts.get(text) {
            return Arc::clone(kept);
        }
        self.texts.insert(Arc::clone(text));
        Arc::clone(text)
    }
}
