//! The map of a library: all samples in two dimensions.

use super::query::PLACED_BY;
use super::run::{Run, Warning};
use crate::job::Stop;
use crate::library::{Among, Contents, Layout, Library, LibraryError};
use crate::projection::{UmapConfig, pca, place, umap_from};
use crate::sample::Sha256;
use crate::search::Hit;
use serde::{Deserialize, Serialize};

/// Of the samples of a map, at most one in this many is placed among the others. Of more, a new map is laid out.
const PLACED_SHARE: usize = 4;
/// At most this many are placed: each is compared with the whole library.
const PLACED_MOST: usize = 500;
/// So many may form a cluster of their own, which only a new layout shows.
const CLUSTER: usize = 10;
/// The neighbours of a new sample that are looked at, since others of them may be new too.
const LOOKED_AT: usize = 4 * PLACED_BY;

/// How a map is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapMethod {
    /// The two directions of largest spread; immediate.
    Pca,
    /// Neighbours stay together.
    #[default]
    Umap,
}

/// Where the computation of a map starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapStart {
    /// From the samples alone: the same samples give the same map.
    #[default]
    FromSamples,
    /// From the map there is, so that what does not have to move stays near its place.
    FromPresent,
}

/// Computes the map of `contents`, stores it in `library`, and returns the place of each row. A job that is asked to
/// finish early stores and returns the map that there is.
pub fn map_library(
    contents: &Contents,
    library: &mut Library,
    method: MapMethod,
    start: MapStart,
    seed: u64,
    run: &Run<'_>,
) -> Result<Vec<[f32; 2]>, Stop> {
    if contents.model().is_none() {
        return Err(LibraryError::NoModel.into());
    }
    let vectors = contents.vectors();
    let present = (start == MapStart::FromPresent).then(|| contents.places());
    let config = UmapConfig { seed, ..UmapConfig::default() };
    let places = match method {
        MapMethod::Pca => pca(vectors),
        MapMethod::Umap => umap_from(vectors, present, config, run.reporter())?,
    };
    // A map that was cancelled is replaced by another.
    run.check()?;
    // That a library is read-only or damaged is said when it is opened.
    if can_store(contents, library) && !library.put_places(contents, &places)? {
        run.warn(Warning::MapNotStored);
    }
    Ok(places)
}

/// Reads the contents of a library with a place for each sample. Samples that came after its map was laid out are placed
/// among the others, and these places are stored. If there is no map, or too many came, the places are a sketch by PCA.
pub fn read_contents(library: &mut Library) -> Result<Contents, LibraryError> {
    let mut contents = library.contents()?;
    if !contents.places().is_empty() || contents.is_empty() {
        return Ok(contents);
    }
    match place_new(&contents) {
        Some((places, layout)) => {
            if can_store(&contents, library) && layout == Layout::Finished {
                // They are found again if another program changed the library meanwhile, or writes to it.
                if let Err(error) = library.put_places(&contents, &places) {
                    tracing::warn!("the places of new samples were not stored: {error}");
                }
            }
            contents.set_places(places, layout);
        }
        None => contents.set_places(pca(contents.vectors()), Layout::Sketch),
    }
    Ok(contents)
}

/// Whether a map of `contents` is for all samples of a library that can be written.
fn can_store(contents: &Contents, library: &Library) -> bool {
    library.read_only().is_none() && contents.damage().is_none()
}

/// A place for each row, if most have one: the others are placed among them.
fn place_new(contents: &Contents) -> Option<(Vec<[f32; 2]>, Layout)> {
    let known = contents.unfinished_places();
    let new: Vec<usize> =
        (0..known.len()).filter(|row| known.get(*row).is_some_and(Option::is_none)).collect();
    if new.is_empty() || new.len() > PLACED_MOST || new.len() * PLACED_SHARE > known.len() {
        return None;
    }
    let mut looks = contents.no_looks();
    let mut own: Vec<Option<Sha256>> = Vec::new();
    for row in &new {
        let sha256 = contents.at(*row)?.sha256;
        looks.push(&contents.look(sha256)?);
        own.push(Some(sha256));
    }
    let is_known = |hit: &Hit| known.get(hit.row).is_some_and(Option::is_some);
    let mut places: Vec<[f32; 2]> = known.iter().map(|place| place.unwrap_or_default()).collect();
    let found: Vec<_> = contents
        .nearest(&looks, &own, LOOKED_AT, &Among::All)
        .into_iter()
        .map(|hits| {
            let known: Vec<Hit> = hits.into_iter().filter(is_known).take(PLACED_BY).collect();
            place(&known, &places)
        })
        .collect();
    for (row, found) in new.iter().zip(found) {
        *places.get_mut(*row)? = found?;
    }
    Some((places, if new.len() < CLUSTER { Layout::Finished } else { Layout::Extended }))
}
