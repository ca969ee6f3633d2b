//! A library in memory: the samples that one model has embedded, with their labels and places.
//!
//! What never changes, the [`Snapshot`], is shared and never copied. Labels and the map are copied on
//! write, so a job keeps what it started with and the window can change them meanwhile. Samples are read
//! by hash or by range through [`Entry`].

use super::{Among, Entry, Labels, Record};
use crate::model::{Calibration, Cosines, Embeddings, Model};
use crate::sample::Sha256;
use crate::search::{
    Allowed, Hit, LABEL_FIT, LabelFit, Look, Looks, Searcher, ViewIndex, fit, nearest, nearest_by_views,
};
use sha2::{Digest as _, Sha256 as Hasher};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Up to this number of samples, comparing every one is as fast as an index.
const SMALL: usize = 1000;
/// Below this number of queries the embeddings are scanned, which needs no preparation.
const FEW: usize = 8;

/// A sample of the library that is near to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Which sample.
    pub sha256: Sha256,
    /// By a model with views: 1 − the probability that both are of one family, 0 to 1. By another: the cosine distance, 0
    /// (same) to 2 (opposite).
    pub distance: f32,
    /// How alike the views find them; `None` by a model without views.
    pub cosines: Option<Cosines>,
}

/// Identifies what is fitted to a library. It is computed again whenever labels change, and not stored: the same version, model
/// and labelled samples give the same fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The version of how it is computed.
    pub version: u32,
    /// A hash of the version, the model, and the samples that it was learned from with their labels, in their order.
    pub hash: Sha256,
    /// Labelled samples that it was learned from; 0 without labels.
    pub files: usize,
    /// Their labels.
    pub labels: usize,
}

impl std::fmt::Display for Fit {
    /// Version and hash, as tables have it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.version, self.hash)
    }
}

/// What never changes of a library in memory.
#[derive(Default)]
struct Snapshot {
    model: Option<Arc<Model>>,
    records: Vec<Record>,
    /// The look `i` belongs to `records[i]`.
    looks: Looks,
    /// With views: a vector for all views of each sample.
    fitted: OnceLock<Embeddings>,
    rows: HashMap<Sha256, u32>,
    /// Of the model and of all samples in their order.
    hash: Option<Sha256>,
    searcher: OnceLock<Searcher>,
    /// With views: for a library that is not small.
    index: OnceLock<ViewIndex>,
    damage: Option<String>,
    others: usize,
}

/// How final the places of a map are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// All samples were laid out, or a few were placed among the others later.
    #[default]
    Finished,
    /// Many samples were placed among the others later. A new layout should start from these places.
    Extended,
    /// A first sketch, which the library file does not keep.
    Sketch,
}

/// Places on the map.
#[derive(Clone, Default)]
struct Places {
    /// For all samples or for none.
    at: Vec<[f32; 2]>,
    /// Those of some of the samples, if `at` is empty.
    unfinished: Vec<Option<[f32; 2]>>,
    layout: Layout,
    id: u64,
}

/// A library as one model embeds it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Contents {
    snapshot: Arc<Snapshot>,
    labels: Arc<Labels>,
    /// What is learned from these labels, and from no others.
    learned: Arc<OnceLock<Option<LabelFit>>>,
    /// Another for each set of labels in this process.
    labels_id: u64,
    places: Arc<Places>,
}

/// The rows of a library file, in one order.
#[derive(Default)]
pub struct Rows {
    /// The samples.
    pub records: Vec<Record>,
    /// Their labels.
    pub labels: Vec<Option<String>>,
    /// What they look like.
    pub looks: Looks,
    /// Their places on the map, as far as they have one; empty for none.
    pub places: Vec<Option<[f32; 2]>>,
    /// Why not all could be read, if the file is damaged.
    pub damage: Option<String>,
    /// Samples in the library that this model has not embedded.
    pub others: usize,
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// How a model computes probabilities, with what was learned from labels; `None` if it has no views or is not calibrated.
pub(super) fn calibration<'a>(model: &'a Model, fit: Option<&LabelFit>) -> Option<&'a Calibration> {
    let config = &model.config;
    let with_labels = config.calibration_with_labels.as_ref().filter(|_| fit.is_some_and(LabelFit::is_rich));
    let calibration = config.calibration.as_ref().filter(|_| model.views.is_some())?;
    Some(with_labels.unwrap_or(calibration))
}

impl Contents {
    /// The contents that `model` embedded.
    pub fn new(model: Arc<Model>, rows: Rows) -> Self {
        let mut hasher = Hasher::new_with_prefix(model.hash.0);
        rows.records.iter().for_each(|record| hasher.update(record.sha256.0));
        let index = rows.records.iter().zip(0..).map(|(record, row)| (record.sha256, row)).collect();
        let mut places = Places { id: next_id(), ..Places::default() };
        if rows.places.len() == rows.records.len() {
            // A map of some of the samples would mislead.
            match rows.places.iter().copied().collect() {
                Some(all) => places.at = all,
                None => places.unfinished = rows.places,
            }
        }
        Self {
            labels: Arc::new(Labels::new(rows.labels.iter().map(Option::as_deref))),
            learned: Arc::default(),
            labels_id: next_id(),
            places: Arc::new(places),
            snapshot: Arc::new(Snapshot {
                hash: Some(Sha256(hasher.finalize().into())),
                rows: index,
                model: Some(model),
                records: rows.records,
                looks: rows.looks,
                fitted: OnceLock::new(),
                searcher: OnceLock::new(),
                index: OnceLock::new(),
                damage: rows.damage,
                others: rows.others,
            }),
        }
    }

    /// With what is learned from the labels of all of the library, where these contents are a part of it.
    pub(super) fn learned(self, fit: Option<LabelFit>) -> Self {
        Self { learned: Arc::new(OnceLock::from(fit)), ..self }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.snapshot.records.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The model; `None` in an empty library.
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.snapshot.model.as_ref()
    }

    /// The hash of the model. Embeddings of models with other hashes cannot be compared with these.
    pub fn model_hash(&self) -> Option<Sha256> {
        self.snapshot.model.as_ref().map(|model| model.hash)
    }

    /// A hash of the model and of all samples in their order: equal for equal contents, whatever their
    /// labels and places. `None` in an empty library.
    pub fn hash(&self) -> Option<Sha256> {
        self.snapshot.hash
    }

    /// The sample with this hash.
    pub fn get(&self, sha256: Sha256) -> Option<Entry<'_>> {
        self.at(self.row_of(sha256)?)
    }

    /// Whether the sample with this hash is in the library.
    pub fn contains(&self, sha256: Sha256) -> bool {
        self.snapshot.rows.contains_key(&sha256)
    }

    /// Samples by range, in the order in which they were added. Rows past the end are ignored.
    pub fn range(&self, rows: Range<usize>) -> impl Iterator<Item = Entry<'_>> {
        (rows.start..rows.end.min(self.len())).filter_map(|row| self.at(row))
    }

    /// All samples, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.range(0..self.len())
    }

    /// The sample in this row.
    pub fn at(&self, row: usize) -> Option<Entry<'_>> {
        let record = self.snapshot.records.get(row)?;
        Some(Entry {
            row,
            id: record.id,
            sha256: record.sha256,
            path: &record.path,
            label: self.labels.get(row),
            label_index: self.labels.index_of(row)?,
            size: record.size,
            kind: &record.kind,
            architecture: record.architecture.as_deref(),
            place: self.places.at.get(row).copied(),
        })
    }

    /// The row of the sample with this hash.
    pub fn row_of(&self, sha256: Sha256) -> Option<usize> {
        self.snapshot.rows.get(&sha256).map(|row| *row as usize)
    }

    /// The labels of all samples.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Gives samples other labels. Samples that are not in the library are ignored.
    pub fn set_labels<'a>(&mut self, changes: impl IntoIterator<Item = (Sha256, Option<&'a str>)>) {
        let snapshot = &self.snapshot;
        let changes = changes
            .into_iter()
            .filter_map(|(sha256, label)| Some((*snapshot.rows.get(&sha256)? as usize, label)));
        Arc::make_mut(&mut self.labels).set(changes);
        self.learned = Arc::default();
        self.labels_id = next_id();
    }

    /// Places on the map by row, for all samples or for none.
    pub fn places(&self) -> &[[f32; 2]] {
        &self.places.at
    }

    /// Identifies this map: another for each set of places in this process.
    pub fn map_id(&self) -> u64 {
        self.places.id
    }

    /// The places by row if only some samples have one, as after others were added; else empty.
    pub fn unfinished_places(&self) -> &[Option<[f32; 2]>] {
        &self.places.unfinished
    }

    /// How final the places are.
    pub fn layout(&self) -> Layout {
        self.places.layout
    }

    /// Puts every sample at a place, by row.
    pub fn set_places(&mut self, at: Vec<[f32; 2]>, layout: Layout) {
        self.places = Arc::new(Places { at, unfinished: Vec::new(), layout, id: next_id() });
    }

    /// A vector for each sample, by row, to draw a map of: the embeddings, or with views a fit of all views, which takes a
    /// moment the first time.
    pub fn vectors(&self) -> &Embeddings {
        let Snapshot { looks, fitted, .. } = &*self.snapshot;
        if self.has_views() { fitted.get_or_init(|| fit(looks)) } else { &looks.embeddings }
    }

    /// What the sample with this hash looks like.
    pub fn look(&self, sha256: Sha256) -> Option<Look> {
        self.snapshot.looks.get(self.row_of(sha256)?)
    }

    /// What nothing looks like yet, to add looks of this model to.
    pub fn no_looks(&self) -> Looks {
        Looks::new(self.snapshot.looks.embeddings.dimension)
    }

    /// How probabilities are computed, if the model has views and the looks of all samples have them too; and what is learned
    /// from the labels.
    fn judge(&self) -> Option<(&Calibration, Option<&LabelFit>)> {
        if !self.has_views() {
            return None;
        }
        let fit = self.label_fit();
        Some((calibration(self.model()?, fit)?, fit))
    }

    /// Whether samples are compared by views.
    fn has_views(&self) -> bool {
        let calibrated = self.model().is_some_and(|model| model.config.calibration.is_some());
        calibrated && self.snapshot.looks.views.len() == self.len()
    }

    /// Why not all samples could be read, if the file is damaged.
    pub fn damage(&self) -> Option<&str> {
        self.snapshot.damage.as_deref()
    }

    /// Samples in the library file that this model has not embedded.
    pub fn others(&self) -> usize {
        self.snapshot.others
    }

    /// The `k` nearest rows to each query `among` some, nearest first, except the sample `except[i]` for the `i`th query. Exact,
    /// whatever the number of queries.
    pub fn nearest(
        &self,
        queries: &Looks,
        except: &[Option<Sha256>],
        k: usize,
        among: &Among,
    ) -> Vec<Vec<Hit>> {
        let labels: Vec<bool> =
            self.labels.counts().iter().map(|(label, _)| among.has(label.as_deref())).collect();
        let is_allowed =
            |row: usize| self.labels.index_of(row).is_some_and(|label| labels.get(label) == Some(&true));
        let allowed: Allowed<'_> = if *among == Among::All { &|_| true } else { &is_allowed };
        let looks = &self.snapshot.looks;
        let (library, queried) = (&looks.embeddings, &queries.embeddings);
        // One more, since a sample finds itself.
        let found = if let Some((calibration, fit)) = self.judge() {
            let index =
                (self.len() > SMALL).then(|| self.snapshot.index.get_or_init(|| ViewIndex::new(looks)));
            (0..queries.len())
                .map(|query| nearest_by_views(looks, calibration, index, fit, queries, query, k + 1, allowed))
                .collect()
        } else if queries.len() < FEW || *among != Among::All {
            queried.rows().map(|query| nearest(library, query, k + 1, |row| !allowed(row))).collect()
        } else {
            let searcher = self.snapshot.searcher.get_or_init(|| Searcher::new(library));
            searcher.nearest(library, queried, k + 1)
        };
        let without = |(mut hits, except): (Vec<Hit>, &Option<Sha256>)| {
            let except = except.and_then(|except| self.row_of(except));
            hits.retain(|hit| Some(hit.row) != except);
            hits.truncate(k);
            hits
        };
        found.into_iter().zip(except).map(without).collect()
    }

    /// Identifies the labels, and so what is learned from them: another for each set of labels in this process.
    pub fn labels_id(&self) -> u64 {
        self.labels_id
    }

    /// The probability below which a file's nearest sample is too unlikely to be of its family; `None` without views.
    pub fn unlike_below(&self) -> Option<f32> {
        Some(self.judge()?.0.unlike_below)
    }

    /// What the labels say about the views, if they say anything. Takes a moment the first time.
    fn label_fit(&self) -> Option<&LabelFit> {
        let (labels, looks) = (&self.labels, &self.snapshot.looks);
        let label = |row: usize| labels.get(row).and_then(|_| labels.index_of(row));
        self.learned.get_or_init(|| LabelFit::new(looks, label)).as_ref()
    }

    /// Whether what the labels say weighs in distances, as far as any were computed since the labels changed.
    pub fn labels_weigh(&self) -> bool {
        self.learned.get().is_some_and(Option::is_some)
    }

    /// What is fitted to the library on top of its model: the whitening by its labels, and the calibration that goes with it.
    /// `None` without views. Takes a moment the first time.
    pub fn fit(&self) -> Option<Fit> {
        let (_, fit) = self.judge()?;
        let learned = fit.map(LabelFit::learned).unwrap_or_default();
        let mut hasher = Hasher::new_with_prefix(LABEL_FIT.to_le_bytes());
        hasher.update(self.model_hash()?.0);
        for entry in learned.iter().flatten().filter_map(|row| self.at(*row)) {
            let label = entry.label.unwrap_or_default();
            hasher.update(entry.sha256.0);
            hasher.update((label.len() as u64).to_le_bytes());
            hasher.update(label);
        }
        Some(Fit {
            version: LABEL_FIT,
            hash: Sha256(hasher.finalize().into()),
            files: learned.iter().map(Vec::len).sum(),
            labels: learned.len(),
        })
    }

    /// Rows of this library as neighbours.
    pub fn neighbours(&self, hits: &[Hit]) -> Vec<Neighbour> {
        let neighbour = |hit: &Hit| {
            let record = self.snapshot.records.get(hit.row)?;
            Some(Neighbour { sha256: record.sha256, distance: hit.distance, cosines: hit.cosines })
        };
        hits.iter().filter_map(neighbour).collect()
    }
}
