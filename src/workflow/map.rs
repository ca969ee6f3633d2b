//! The map of a library: all samples in two dimensions.

use super::map_method::{MapMethod, MapStart};
use super::map_outline::{map_outline, trust_of_outline};
use super::read_contents::can_store;
use super::run::{Run, Warning};
use crate::job::Stop;
use crate::library::{Contents, Library, LibraryError};
use crate::projection::{UmapConfig, pca, trustworthiness, umap_from};

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
    let places = match contents.looks_in() {
        Some(_) => map_outline(contents, library, method, start, seed, run)?,
        None => map_whole(contents, method, start, seed, run)?,
    };
    // A map that was cancelled is replaced by another.
    run.check()?;
    // That a library is read-only or damaged is said when it is opened.
    if can_store(contents, library) && !library.put_places(contents, &places)? {
        run.warn(Warning::MapNotStored);
    }
    Ok(places)
}

fn map_whole(
    contents: &Contents,
    method: MapMethod,
    start: MapStart,
    seed: u64,
    run: &Run<'_>,
) -> Result<Vec<[f32; 2]>, Stop> {
    let vectors = contents.vectors();
    let present = (start == MapStart::FromPresent).then(|| contents.places());
    let config = UmapConfig { seed, ..UmapConfig::default() };
    Ok(match method {
        MapMethod::Pca => pca(vectors),
        MapMethod::Umap => umap_from(vectors, present, config, run.reporter())?,
    })
}

/// The trustworthiness of a map for `k` neighbours. Of a large library it is measured on some of its samples.
pub fn trust_of_map(
    contents: &Contents,
    library: &Library,
    places: &[[f32; 2]],
    k: usize,
    run: &Run<'_>,
) -> Result<f64, Stop> {
    match contents.looks_in() {
        Some(_) => trust_of_outline(contents, library, places, k, run),
        None => Ok(trustworthiness(contents.vectors(), places, k)),
    }
}
