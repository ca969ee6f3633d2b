//! The map of a library: all samples in two dimensions.

use super::run::{Run, Warning};
use crate::job::Stop;
use crate::library::{Contents, Library, LibraryError};
use crate::projection::{UmapConfig, pca, umap};
use serde::{Deserialize, Serialize};

/// How a map is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapMethod {
    /// The two directions of largest spread; immediate.
    Pca,
    /// Neighbours stay together.
    #[default]
    Umap,
}

/// Computes the map of `contents`, stores it in `library`, and returns the place of each row. A job that is asked to
/// finish early stores and returns the map that there is.
pub fn map_library(
    contents: &Contents,
    library: &mut Library,
    method: MapMethod,
    seed: u64,
    run: &Run<'_>,
) -> Result<Vec<[f32; 2]>, Stop> {
    if contents.model().is_none() {
        return Err(LibraryError::NoModel.into());
    }
    let vectors = contents.vectors();
    let places = match method {
        MapMethod::Pca => pca(vectors),
        MapMethod::Umap => umap(vectors, UmapConfig { seed, ..UmapConfig::default() }, run.reporter())?,
    };
    // A map that was cancelled is replaced by another.
    run.check()?;
    if !library.put_places(contents, &places)? {
        run.warn(Warning::MapNotStored);
    }
    Ok(places)
}

/// The contents with a first map, by PCA, if they have none: it is there at once.
pub fn with_first_map(mut contents: Contents) -> Contents {
    if contents.places().is_empty() {
        contents.set_places(pca(contents.vectors()), true);
    }
    contents
}
