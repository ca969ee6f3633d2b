//! The map of a library that is too large to be laid out at once. A sample of it is laid out, and all others are placed among those by
//! their neighbours in the sample, as a file is that is dropped on a map.

use super::find_near::whole_of;
use super::map_method::{MapMethod, MapStart};
use super::near::PLACED_BY;
use super::run::Run;
use crate::job::{Reporter, Stop};
use crate::library::{Contents, Library, LibraryError, PartlyRead};
use crate::model::Embeddings;
use crate::projection::{Axes, UmapConfig, place, trustworthiness, umap_from};
use crate::search::{Looks, Searcher, ViewFit};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Samples that are laid out. Libraries of tests have fewer.
const LAID_OUT: usize = if cfg!(test) { 1000 } else { 20_000 };
/// Samples that are measured.
const MEASURED: usize = 2000;
/// Samples whose looks are read together.
const READ: usize = 1000;
/// A map is kept, and what is new is placed on it, if at least one of this many samples has a place.
const KEPT_SHARE: usize = 2;

/// Computes a place for each row of an outline.
pub(super) fn map_outline(
    outline: &Contents,
    library: &Library,
    method: MapMethod,
    start: MapStart,
    seed: u64,
    run: &Run<'_>,
) -> Result<Vec<[f32; 2]>, Stop> {
    let large = whole_of(library, outline)?.ok_or_else(|| changed(library))?;
    let ids: Vec<i64> = outline.iter().map(|entry| entry.id).collect();
    let mut places = known_places(outline, start);
    let known: Vec<usize> = rows_where(&places, |place| place.is_some());
    let laid_out = match known.len() * KEPT_SHARE < ids.len() {
        true => {
            places.fill(None);
            chosen(&(0..ids.len()).collect::<Vec<_>>(), LAID_OUT, seed)
        }
        false => chosen(&known, LAID_OUT, seed),
    };
    let looks = read(&*large, &ids, &laid_out, run)?;
    let vectors = Vectors::new(outline, &looks);
    let sample = vectors.of(&looks);
    drop(looks);
    let kept: Option<Vec<[f32; 2]>> = laid_out.iter().map(|row| *places.get(*row)?).collect();
    let (among, axes) = match kept {
        Some(kept) => (kept, None),
        None => {
            let config = UmapConfig { seed, ..UmapConfig::default() };
            let axes = (method == MapMethod::Pca).then(|| Axes::new(&sample));
            let at = match &axes {
                Some(axes) => axes.places(&sample),
                None => umap_from(&sample, None, config, run.reporter())?,
            };
            run.check()?;
            for (row, at) in laid_out.iter().zip(&at) {
                if let Some(place) = places.get_mut(*row) {
                    *place = Some(*at);
                }
            }
            (at, axes)
        }
    };
    let placing = Placing { vectors, axes, searcher: Searcher::new(&sample), sample, among };
    placing.place_all(&*large, &ids, &mut places, run)?;
    places.into_iter().collect::<Option<_>>().ok_or_else(|| changed(library))
}

/// The trustworthiness of a map of an outline for `k` neighbours, measured on some of its samples as if there were no others.
pub(super) fn trust_of_outline(
    outline: &Contents,
    library: &Library,
    places: &[[f32; 2]],
    k: usize,
    run: &Run<'_>,
) -> Result<f64, Stop> {
    let large = whole_of(library, outline)?.ok_or_else(|| changed(library))?;
    let ids: Vec<i64> = outline.iter().map(|entry| entry.id).collect();
    let rows = chosen(&(0..ids.len()).collect::<Vec<_>>(), MEASURED, 0);
    let looks = read(&*large, &ids, &rows, run)?;
    let at: Vec<[f32; 2]> = rows.iter().filter_map(|row| places.get(*row).copied()).collect();
    Ok(trustworthiness(&Vectors::new(outline, &looks).of(&looks), &at, k))
}

fn changed(library: &Library) -> Stop {
    Stop::failed(format!(
        "expected the samples of {} as they were when the map was begun, found others or damage. Draw the map again",
        library.location()
    ))
}

/// The places from which a map starts, by row.
fn known_places(outline: &Contents, start: MapStart) -> Vec<Option<[f32; 2]>> {
    let unfinished = outline.unfinished_places();
    match start {
        MapStart::FromPresent if !unfinished.is_empty() => unfinished.to_vec(),
        MapStart::FromPresent if !outline.places().is_empty() => {
            outline.places().iter().copied().map(Some).collect()
        }
        _ => vec![None; outline.len()],
    }
}

fn rows_where(places: &[Option<[f32; 2]>], wanted: impl Fn(&Option<[f32; 2]>) -> bool) -> Vec<usize> {
    places.iter().enumerate().filter(|(_, place)| wanted(place)).map(|(row, _)| row).collect()
}

/// At most `most` of these rows, chosen at random and in their order.
fn chosen(rows: &[usize], most: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut at = rand::seq::index::sample(&mut rng, rows.len(), most.min(rows.len())).into_vec();
    at.sort_unstable();
    at.into_iter().filter_map(|at| rows.get(at).copied()).collect()
}

/// The looks of the samples in these rows, which rise.
fn read(large: &dyn PartlyRead, ids: &[i64], rows: &[usize], run: &Run<'_>) -> Result<Looks, Stop> {
    let stage = run.reporter().stage("Reading samples", rows.len());
    let mut looks = Looks::new(large.model().config.embedding);
    for rows in rows.chunks(READ) {
        run.check()?;
        let of_rows: Vec<i64> = rows.iter().filter_map(|row| ids.get(*row).copied()).collect();
        let found = large.looks(&of_rows)?.ok_or(LibraryError::NoModel)?;
        looks.embeddings.data.extend(found.embeddings.data);
        looks.views.extend(found.views);
        stage.advance(rows.len());
    }
    Ok(looks)
}

/// What vectors samples are laid out by: their embeddings, or a fit of all views.
struct Vectors(Option<ViewFit>);

impl Vectors {
    fn new(outline: &Contents, looks: &Looks) -> Self {
        Self(outline.has_views().then(|| ViewFit::new(looks)))
    }

    fn of(&self, looks: &Looks) -> Embeddings {
        match &self.0 {
            Some(fit) => fit.vectors(looks),
            None => looks.embeddings.clone(),
        }
    }
}

/// The samples that are laid out, among which others are placed.
struct Placing {
    vectors: Vectors,
    /// For a map along the directions of largest spread.
    axes: Option<Axes>,
    searcher: Searcher,
    sample: Embeddings,
    among: Vec<[f32; 2]>,
}

impl Placing {
    /// Places for samples that look so.
    fn places(&self, looks: &Looks) -> Vec<Option<[f32; 2]>> {
        let vectors = self.vectors.of(looks);
        if let Some(axes) = &self.axes {
            return axes.places(&vectors).into_iter().map(Some).collect();
        }
        let found = self.searcher.nearest(&self.sample, &vectors, PLACED_BY);
        found.par_iter().map(|hits| place(hits, &self.among)).collect()
    }

    /// Places all samples that have no place.
    fn place_all(
        &self,
        large: &dyn PartlyRead,
        ids: &[i64],
        places: &mut [Option<[f32; 2]>],
        run: &Run<'_>,
    ) -> Result<(), Stop> {
        let lacking = rows_where(places, Option::is_none);
        let stage = run.reporter().stage("Placing the others", lacking.len());
        let mut put = |samples: &[i64], looks: &Looks| {
            for (id, at) in samples.iter().zip(self.places(looks)) {
                let row = ids.binary_search(id).ok();
                if let Some(place) = row.and_then(|row| places.get_mut(row)).filter(|place| place.is_none()) {
                    *place = at;
                    stage.advance(1);
                }
            }
        };
        if lacking.len() * KEPT_SHARE < ids.len() {
            for rows in lacking.chunks(READ) {
                run.check()?;
                let of_rows: Vec<i64> = rows.iter().filter_map(|row| ids.get(*row).copied()).collect();
                if let Some(looks) = large.looks(&of_rows)? {
                    put(&of_rows, &looks);
                }
            }
            return Ok(());
        }
        let dimension = large.model().config.embedding;
        large.blocks(&Reporter::silent(), &mut |block| {
            let Some(looks) = block.looks(dimension) else { return false };
            put(&block.samples, &looks);
            !run.cancelled()
        })?;
        run.check()
    }
}
