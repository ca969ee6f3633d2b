//! Querying a library: what does a file look like? Its nearest samples, and its place among them on the map.

use super::read::read_in_parts;
use super::run::Run;
use super::verdict::Verdict;
use crate::job::Stop;
use crate::library::{Among, Contents, LibraryError, Neighbour};
use crate::model::{Model, embed_with_shifts};
use crate::picture::Encoded;
use crate::projection::place;
use crate::reading::Reader;
use crate::sample::{KeepFacts, Labelling, Sample, Sha256};
use crate::search::{Look, Looks};
use crate::view::FileViews;
use std::path::PathBuf;
use std::sync::Arc;

/// Neighbours from which a place on the map is computed.
pub(super) const PLACED_BY: usize = 15;
/// Queried samples whose facts have names too, which take up to 60 KiB.
const NAMED: usize = 1000;
/// Queries searched together.
pub(super) const BATCH: usize = 256;

/// One queried sample.
#[derive(Debug, Clone)]
pub struct Queried {
    /// The sample.
    pub sample: Sample,
    /// Its picture, if it was kept.
    pub picture: Option<Arc<Encoded>>,
    /// What it looks like to the library's model.
    pub look: Look,
    /// Why the network's opinion does not count, if it does not: its layers were never shown such a file.
    pub out_of_range: Option<OutOfRange>,
    /// What it is near to.
    pub near: Near,
}

/// A file whose activations lie far outside the running statistics of the network's batch norm: the code view abstains. A model
/// without views has no other, so its distances say little.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfRange {
    /// How far its farthest layer is from the running means, in running deviations.
    pub shift: f32,
    /// What 1 % of the files exceed that were held out of the training.
    pub above: f32,
}

impl OutOfRange {
    fn of(shift: f32, above: f32) -> Option<Self> {
        // A shift that is not a number is out of range too.
        (shift.is_nan() || shift > above).then_some(Self { shift, above })
    }
}

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { shift, above } = self;
        write!(
            f,
            "the network was not trained on such files: their activations are {shift:.2} deviations from its running means, \
             those of 99 % of the files held out of its training at most {above:.2}"
        )
    }
}

/// What a sample is near to in a library.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Near {
    /// Nearest first. A sample of the library is not among its own; a queried file of the same content is.
    pub neighbours: Vec<Neighbour>,
    /// Its place on the map, if there is a map: its own if the library has it, else one among its neighbours. None with nothing to go by.
    pub place: Option<[f32; 2]>,
    /// The number of neighbours that was searched for.
    pub k: usize,
    /// The hash of the contents that were searched.
    pub library: Option<Sha256>,
    /// What follows from them; `None` if the model cannot say when a file is unlike anything known, and among some samples.
    pub verdict: Option<Verdict>,
    /// The labels that the verdict is by, by [`Contents::labels_id`].
    pub labels: u64,
    /// The map that the place is on, by [`Contents::map_id`].
    pub map: u64,
    /// What the labels say about the views weighs in the distances: a wrong label makes its files look alike.
    pub labels_weigh: bool,
}

impl Near {
    /// Whether this is still what a search for `k` neighbours in `contents` finds.
    pub fn is_current(&self, contents: &Contents, k: usize) -> bool {
        self.k == k
            && self.library == contents.hash()
            && self.labels == contents.labels_id()
            && self.map == contents.map_id()
    }
}

/// The result of a query.
#[derive(Debug)]
pub struct QueryResult {
    /// The hash of the model that embedded the samples.
    pub model: Sha256,
    /// The samples, in the order of their paths.
    pub queried: Vec<Queried>,
}

/// Queries all files below `paths` for their `k` nearest samples. The pictures of the first `keep` are kept:
/// they take some tens of KiB each. Skipped files are reported.
pub fn query(
    paths: &[PathBuf],
    contents: &Contents,
    k: usize,
    keep: usize,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<QueryResult, Stop> {
    let Some(model) = contents.model() else {
        return Err(LibraryError::NoModel.into());
    };
    let wanted = WantedNear::all(AskedAs::File, k);
    let near = |looks: &Looks, own: &[Sha256], run: &Run<'_>| find_near(contents, looks, own, &wanted, run);
    let queried = look_at(paths, model, keep, reader, run, near)?;
    Ok(QueryResult { model: model.hash, queried })
}

/// Reads and embeds all files below `paths`. `near` finds what those with these looks and hashes, a part of them, are near to.
pub(super) fn look_at(
    paths: &[PathBuf],
    model: &Model,
    keep: usize,
    reader: &Reader,
    run: &Run<'_>,
    mut near: impl FnMut(&Looks, &[Sha256], &Run<'_>) -> Result<Vec<Near>, Stop>,
) -> Result<Vec<Queried>, Stop> {
    run.warn_about(model);
    let spec = model.config.picture;
    let reader = &reader.with_views(model.views.clone()).with_facts(KeepFacts::Named);
    let mut queried = Vec::new();
    read_in_parts(paths, Labelling::Unlabelled, spec, reader, run, |set, run| {
        let pictures: Vec<_> = set.pictures.iter().collect();
        let (embeddings, shifts) =
            embed_with_shifts(&model.network, model.config.embedding, spec, &pictures, run.reporter())?;
        let out_of_range: Vec<_> = shifts
            .into_iter()
            .map(|shift| OutOfRange::of(shift?, model.config.training.shift_above?))
            .collect();
        let own: Vec<Sha256> = set.samples.iter().map(|sample| sample.sha256).collect();
        // A picture without views, which no worker of ours sends, has nothing to go by.
        let seen = |picture: &Encoded| picture.views().cloned().unwrap_or_default();
        let mut views: Vec<FileViews> =
            if model.views.is_some() { set.pictures.iter().map(seen).collect() } else { Vec::new() };
        for (views, out_of_range) in views.iter_mut().zip(&out_of_range) {
            if out_of_range.is_some() {
                views.code = None;
            }
        }
        let looks = Looks { embeddings, views };
        let near = near(&looks, &own, run)?;
        for (i, ((mut sample, picture), near)) in
            set.samples.into_iter().zip(set.pictures).zip(near).enumerate()
        {
            if let Some(facts) = sample.facts.as_mut().filter(|_| queried.len() >= NAMED) {
                facts.names = Vec::new();
            }
            let picture = (queried.len() < keep).then(|| Arc::new(picture));
            let out_of_range = out_of_range.get(i).copied().flatten();
            queried.push(Queried {
                sample,
                picture,
                look: looks.get(i).unwrap_or_default(),
                out_of_range,
                near,
            });
        }
        Ok(())
    })?;
    Ok(queried)
}

/// Whether samples are asked about as new files or as samples of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedAs {
    /// A file: one that the library has is identical to a sample.
    File,
    /// A sample of the library, judged as if it were not there.
    Sample,
}

/// Which neighbours are wanted.
#[derive(Clone, Debug)]
pub struct WantedNear {
    /// What they are the neighbours of.
    pub asked_as: AskedAs,
    /// How many, at most.
    pub k: usize,
    /// Which samples they may be.
    pub among: Among,
}

impl WantedNear {
    /// Any samples.
    pub fn all(asked_as: AskedAs, k: usize) -> Self {
        Self { asked_as, k, among: Among::All }
    }
}

/// Puts the sample of the same content before all others, at distance 0: a probability is never quite 1.
fn identical_first(neighbours: &mut Vec<Neighbour>, own: Sha256, k: usize) {
    let found = neighbours.iter().position(|neighbour| neighbour.sha256 == own);
    let cosines = found.map(|at| neighbours.remove(at)).and_then(|neighbour| neighbour.cosines);
    neighbours.insert(0, Neighbour { sha256: own, distance: 0.0, cosines });
    neighbours.truncate(k);
}

/// What samples with these looks and hashes are near to, in the same order. Verdict and place follow from the nearest samples of all,
/// so there is none among some.
pub fn find_near(
    contents: &Contents,
    looks: &Looks,
    own: &[Sha256],
    wanted: &WantedNear,
    run: &Run<'_>,
) -> Result<Vec<Near>, Stop> {
    let WantedNear { asked_as, k, among } = wanted;
    let (asked_as, k) = (*asked_as, *k);
    let stage = run.reporter().stage("Finding neighbours", looks.len());
    let mut out = Vec::with_capacity(own.len());
    let mut first = 0;
    for own in own.chunks(BATCH) {
        run.check()?;
        let batch = looks.range(first..first + own.len());
        first += own.len();
        let except: Vec<_> = own.iter().map(|own| (asked_as == AskedAs::Sample).then_some(*own)).collect();
        let found = contents.nearest(&batch, &except, k.max(PLACED_BY), among);
        for (i, (mut hits, own)) in found.into_iter().zip(own).enumerate() {
            let there = contents.get(*own).and_then(|entry| entry.place);
            let placed = place(hits.get(..PLACED_BY).unwrap_or(&hits), contents.places());
            hits.truncate(k);
            let mut neighbours = contents.neighbours(&hits);
            let has_own = contents.get(*own).is_some_and(|entry| among.has(entry.label));
            if asked_as == AskedAs::File && has_own {
                identical_first(&mut neighbours, *own, k);
            }
            let look = batch.get(i).unwrap_or_default();
            let verdict = match asked_as {
                _ if *among != Among::All => None,
                AskedAs::File => Verdict::of(contents, *own, &look, &neighbours),
                AskedAs::Sample => Verdict::without(contents, &look, &neighbours),
            };
            // Nothing is nearer to a file with nothing to go by than anything else.
            let nowhere = verdict == Some(Verdict::Nothing);
            let place = there.or(placed.filter(|_| !nowhere && *among == Among::All));
            out.push(Near {
                neighbours,
                verdict,
                place,
                k,
                library: contents.hash(),
                labels: contents.labels_id(),
                map: contents.map_id(),
                labels_weigh: contents.labels_weigh(),
            });
        }
        stage.advance(own.len());
    }
    Ok(out)
}
