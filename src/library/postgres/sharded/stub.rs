//! What the first database of a library keeps of a sample whose vectors, facts and thumbnail are on a shard: that it has them.

use crate::library::{WholeLook, WholeSample};
use crate::sample::KeptFacts;
use std::path::PathBuf;

/// In place of an embedding. The table has a check, once the library has shards, that there is no longer one: a program that opened the
/// library before can then add nothing that the shards lack.
pub const EMBEDDING: [f32; 1] = [0.0];

/// A sample for the first database.
pub fn stub(sample: &WholeSample) -> WholeSample {
    let digests = |facts: &KeptFacts| KeptFacts { sha1: facts.sha1, md5: facts.md5, ..KeptFacts::default() };
    let look = |look: &WholeLook| WholeLook { model: look.model, embedding: EMBEDDING.to_vec(), seen: None };
    WholeSample {
        thumbnail: None,
        facts: sample.facts.as_deref().map(|facts| Box::new(digests(facts))),
        looks: sample.looks.iter().map(look).collect(),
        sha256: sample.sha256,
        path: sample.path.clone(),
        size: sample.size,
        kind: sample.kind.clone(),
        architecture: sample.architecture.clone(),
        label: sample.label.clone(),
    }
}

/// A sample for its shard, which has no name and no label of it.
pub fn parts(sample: &WholeSample) -> WholeSample {
    WholeSample { path: PathBuf::new(), label: None, ..sample.clone() }
}
