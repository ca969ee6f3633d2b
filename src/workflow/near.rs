//! What samples are near to: neighbours, a place on the map, and a verdict.

use super::run::Run;
use super::verdict::Verdict;
use crate::job::{Stage, Stop};
use crate::library::{Among, Contents, Neighbour};
use crate::projection::place;
use crate::sample::Sha256;
use crate::search::{Hit, Looks};

/// Neighbours from which a place on the map is computed.
pub(super) const PLACED_BY: usize = 15;
/// Queries searched together.
pub(super) const BATCH: usize = 256;

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
    /// Whether nearer samples may have been missed, by an index of a team's library.
    pub approximate: bool,
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

/// What samples with these looks and hashes are near to, in the same order. `searched` has the looks, and is all or a part of `shown`,
/// which says where samples are on the map. Verdict and place follow from the nearest samples of all, so there is none among some.
pub(super) fn near_in(
    (searched, shown): (&Contents, &Contents),
    looks: &Looks,
    own: &[Sha256],
    wanted: &WantedNear,
    stage: &Stage<'_>,
    run: &Run<'_>,
) -> Result<Vec<Near>, Stop> {
    let WantedNear { asked_as, k, among } = wanted;
    let (asked_as, k) = (*asked_as, *k);
    let mut out = Vec::with_capacity(own.len());
    let mut first = 0;
    for own in own.chunks(BATCH) {
        run.check()?;
        let batch = looks.range(first..first + own.len());
        first += own.len();
        let except: Vec<_> = own.iter().map(|own| (asked_as == AskedAs::Sample).then_some(*own)).collect();
        let found = searched.nearest(&batch, &except, k.max(PLACED_BY), among);
        for (i, (mut hits, own)) in found.into_iter().zip(own).enumerate() {
            let there = shown.get(*own).and_then(|entry| entry.place);
            let on_map = |hit: &Hit| Some(Hit { row: shown.row_of(searched.at(hit.row)?.sha256)?, ..*hit });
            let placing: Vec<Hit> = hits.iter().filter_map(on_map).take(PLACED_BY).collect();
            let placed = place(&placing, shown.places());
            hits.truncate(k);
            let mut neighbours = searched.neighbours(&hits);
            let has_own = searched.get(*own).is_some_and(|entry| among.has(entry.label));
            if asked_as == AskedAs::File && has_own {
                identical_first(&mut neighbours, *own, k);
            }
            let look = batch.get(i).unwrap_or_default();
            let verdict = match asked_as {
                _ if *among != Among::All => None,
                AskedAs::File => Verdict::of(searched, *own, &look, &neighbours),
                AskedAs::Sample => Verdict::without(searched, &look, &neighbours),
            };
            // Nothing is nearer to a file with nothing to go by than anything else.
            let nowhere = verdict == Some(Verdict::Nothing);
            let place = there.or(placed.filter(|_| !nowhere && *among == Among::All));
            out.push(Near {
                neighbours,
                verdict,
                place,
                k,
                library: shown.hash(),
                labels: shown.labels_id(),
                map: shown.map_id(),
                labels_weigh: searched.labels_weigh(),
                approximate: false,
            });
        }
        stage.advance(own.len());
    }
    Ok(out)
}
