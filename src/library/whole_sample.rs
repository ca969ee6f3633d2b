//! A sample with all that a library keeps of it but its map and its history, on the way into a library or from one library to
//! another.

use crate::model::Model;
use crate::picture::{Encoded, thumbnail};
use crate::sample::{KeptFacts, Sample, Sha256};
use crate::view::FileViews;
use sha2::{Digest as _, Sha256 as Hasher};
use std::path::PathBuf;

/// A sample with all that is kept of it.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeSample {
    /// The SHA-256 of its content.
    pub sha256: Sha256,
    /// Where it was read from, or its name alone.
    pub path: PathBuf,
    /// Size in bytes.
    pub size: u64,
    /// The file format.
    pub kind: String,
    /// The processor it was built for, if known.
    pub architecture: Option<String>,
    /// Its label, if it has one.
    pub label: Option<GivenLabel>,
    /// 32 by 32 pixels of RGB.
    pub thumbnail: Option<Vec<u8>>,
    /// Its facts, if they are known.
    pub facts: Option<Box<KeptFacts>>,
    /// What models make of it.
    pub looks: Vec<WholeLook>,
}

/// A label with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenLabel {
    /// The label.
    pub label: String,
    /// The folder, or another way it was given.
    pub source: PathBuf,
    /// Who gave it and when, if it was given in another library.
    pub given: Option<(String, String)>,
}

impl GivenLabel {
    /// The source as a history has it: `source` as text, with who gave the label elsewhere and when.
    pub fn source_text(&self, source: &str) -> String {
        match &self.given {
            Some((who, at)) => format!("{source} ({who}, {at})"),
            None => source.to_owned(),
        }
    }
}

/// What a model makes of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeLook {
    /// The hash of the model.
    pub model: Sha256,
    /// The embedding, of length 1.
    pub embedding: Vec<f32>,
    /// What the model's views see, if it has any: [`FileViews::to_bytes`].
    pub seen: Option<Vec<u8>>,
}

impl WholeSample {
    /// A sample as `model` sees it.
    pub fn new(sample: &Sample, picture: &Encoded, model: &Model, embedding: &[f32]) -> Self {
        let folder = sample.path.parent().map(ToOwned::to_owned).unwrap_or_default();
        let seen = || picture.views().map_or_else(|| FileViews::default().to_bytes(), FileViews::to_bytes);
        Self {
            sha256: sample.sha256,
            path: sample.path.clone(),
            size: sample.size,
            kind: sample.kind.name().to_owned(),
            architecture: sample.architecture.map(|processor| processor.name().to_owned()),
            // The source of a label from a folder is that folder.
            label: sample.label.clone().map(|label| GivenLabel { label, source: folder, given: None }),
            thumbnail: Some(thumbnail(picture).rgb),
            facts: sample.facts.clone(),
            looks: vec![WholeLook {
                model: model.hash,
                embedding: embedding.to_vec(),
                seen: model.views.as_ref().map(|_| seen()),
            }],
        }
    }

    /// Whether `stored` has all that this has: the same values, and perhaps more, as what other models make of it. Where it was read
    /// from, its label and the picture of its thumbnail are a library's own.
    pub fn is_in(&self, stored: &Self) -> bool {
        let same = |a: &Self| (a.sha256, a.size, a.kind.clone(), a.architecture.clone());
        same(self) == same(stored)
            && (self.thumbnail.is_none() || stored.thumbnail.is_some())
            && (self.facts.is_none() || self.facts == stored.facts)
            && self.looks.iter().all(|look| stored.looks.contains(look))
    }

    /// A hash of all that never changes: not of its label and where it was read from.
    pub fn checksum(&self) -> Sha256 {
        let mut hasher = Hasher::new_with_prefix(self.sha256.0);
        // Lengths come first, so that no other values give the same bytes.
        let mut add = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        add(&self.size.to_le_bytes());
        add(self.kind.as_bytes());
        add(self.architecture.as_deref().unwrap_or_default().as_bytes());
        add(self.thumbnail.as_deref().unwrap_or_default());
        match &self.facts {
            Some(facts) => [&facts.sha1[..], &facts.md5, &facts.to_bytes()].into_iter().for_each(&mut add),
            None => add(&[]),
        }
        let mut looks: Vec<&WholeLook> = self.looks.iter().collect();
        looks.sort_by_key(|look| look.model);
        for look in looks {
            add(&look.model.0);
            look.embedding.iter().for_each(|number| add(&number.to_le_bytes()));
            add(look.seen.as_deref().unwrap_or_default());
        }
        Sha256(hasher.finalize().into())
    }
}
