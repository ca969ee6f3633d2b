//! A library in memory: the samples that one model has embedded, with their labels and places.
//!
//! What never changes, the [`Snapshot`], is shared and never copied. Labels and the map are copied on
//! write, so a job keeps what it started with and the window can change them meanwhile. Samples are read
//! by hash or by range through [`Entry`].

use super::fit::Fit;
use super::neighbour::Neighbour;
use super::places::{Layout, Places, next_id};
use super::{Among, Entry, Labels, Location, Record, Rows};
use crate::model::{Calibration, Embeddings, Model};
use crate::sample::Sha256;
use crate::search::{
    Allowed, Hit, LABEL_FIT, LabelFit, Look, Looks, Searcher, ViewIndex, fit, nearest, nearest_by_views,
};
use rayon::slice::ParallelSliceMut as _;
use sha2::{Digest as _, Sha256 as Hasher};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Up to this number of samples, comparing every one is as fast as an index.
const SMALL: usize = 1000;
/// Below this number of queries the embeddings are scanned, which needs no preparation.
const FEW: usize = 8;

/// What never changes of a library in memory.
#[derive(Default)]
struct Snapshot {
    model: Option<Arc<Model>>,
    records: Vec<Record>,
    /// The look `i` belongs to `records[i]`.
    looks: Looks,
    /// The library that has the looks, if these contents are its outline.
    looks_in: Option<Location>,
    /// With views: a vector for all views of each sample.
    fitted: OnceLock<Embeddings>,
    /// The rows in the order of their hashes.
    by_hash: Vec<u32>,
    /// Of the model and of all samples in their order.
    hash: Option<Sha256>,
    searcher: OnceLock<Searcher>,
    /// With views: for a library that is not small.
    index: OnceLock<ViewIndex>,
    damage: Option<String>,
    others: usize,
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
        let mut by_hash: Vec<u32> = (0..).take(rows.records.len()).collect();
        by_hash.par_sort_unstable_by_key(|row| rows.records.get(*row as usize).map(|record| record.sha256));
        let places = Places::read(rows.places, rows.records.len());
        Self {
            labels: Arc::new(Labels::new(rows.labels.iter().map(Option::as_deref))),
            learned: Arc::default(),
            labels_id: next_id(),
            places: Arc::new(places),
            snapshot: Arc::new(Snapshot {
                hash: Some(Sha256(hasher.finalize().into())),
                by_hash,
                model: Some(model),
                records: rows.records,
                looks: rows.looks,
                looks_in: rows.looks_in,
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
        self.row_of(sha256).is_some()
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
        let Snapshot { by_hash, records, .. } = &*self.snapshot;
        let found = by_hash.binary_search_by_key(&Some(sha256), |row| {
            records.get(*row as usize).map(|record| record.sha256)
        });
        by_hash.get(found.ok()?).map(|row| *row as usize)
    }

    /// The labels of all samples.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Gives samples other labels. Samples that are not in the library are ignored.
    pub fn set_labels<'a>(&mut self, changes: impl IntoIterator<Item = (Sha256, Option<&'a str>)>) {
        self.put_labels(changes);
        self.learned = Arc::default();
    }

    /// Gives samples the labels that `shown` has. What was learned from those before stays. Returns whether all had them already.
    pub fn take_labels(&mut self, shown: &Self) -> bool {
        let others = self.iter().filter_map(|entry| {
            let label = shown.get(entry.sha256)?.label;
            (label != entry.label).then(|| (entry.sha256, label.map(str::to_owned)))
        });
        let others: Vec<(Sha256, Option<String>)> = others.collect();
        if !others.is_empty() {
            self.put_labels(others.iter().map(|(sha256, label)| (*sha256, label.as_deref())));
        }
        others.is_empty()
    }

    fn put_labels<'a>(&mut self, changes: impl IntoIterator<Item = (Sha256, Option<&'a str>)>) {
        let mut labels = Arc::clone(&self.labels);
        let changes = changes.into_iter().filter_map(|(sha256, label)| Some((self.row_of(sha256)?, label)));
        Arc::make_mut(&mut labels).set(changes);
        self.labels = labels;
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

    /// Says how final the places are that there are.
    pub fn set_layout(&mut self, layout: Layout) {
        Arc::make_mut(&mut self.places).layout = layout;
    }

    /// Puts every sample at a place, by row.
    pub fn set_places(&mut self, at: Vec<[f32; 2]>, layout: Layout) {
        self.places = Arc::new(Places { at, unfinished: Vec::new(), layout, id: next_id() });
    }

    /// A vector for each sample, by row, to draw a map of: the embeddings, or with views a fit of all views, which takes a
    /// moment the first time. An outline has none.
    pub fn vectors(&self) -> &Embeddings {
        let Snapshot { looks, fitted, .. } = &*self.snapshot;
        if self.has_views() { fitted.get_or_init(|| fit(looks)) } else { &looks.embeddings }
    }

    /// The library that has the looks of the samples, if these contents are an outline without them. An outline lists samples, labels
    /// and places; neighbours and vectors come from the library.
    pub fn looks_in(&self) -> Option<&Location> {
        self.snapshot.looks_in.as_ref()
    }

    /// What the sample with this hash looks like; `None` in an outline.
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
    pub fn has_views(&self) -> bool {
        let Snapshot { looks, looks_in, .. } = &*self.snapshot;
        let model = self.model().filter(|model| model.config.calibration.is_some());
        model.is_some_and(|model| match looks_in {
            Some(_) => model.views.is_some(),
            None => looks.views.len() == self.len(),
        })
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
    /// whatever the number of queries. An outline has none.
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

    /// Keeps what was learned from labels for a search in `searched`, a part of this library, in an outline that has nothing of it.
    pub fn keep_learned(&self, searched: Self) {
        let hashes: Vec<Sha256> = searched.iter().map(|entry| entry.sha256).collect();
        let Some(fit) = Arc::try_unwrap(searched.learned).ok().and_then(OnceLock::into_inner) else { return };
        let fit = fit.map(|fit| fit.renumbered(|row| self.row_of(*hashes.get(row)?)));
        // Another job may have been faster; it learned the same.
        let _ = self.learned.set(fit);
    }

    /// What the labels say about the views, if they say anything. Takes a moment the first time. In an outline, as far as it was
    /// learned for a search.
    fn label_fit(&self) -> Option<&LabelFit> {
        if self.looks_in().is_some() {
            return self.learned.get()?.as_ref();
        }
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
