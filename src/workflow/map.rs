//! Lay a library out in two dimensions.

use crate::job::{Reporter, Stop};
use crate::library::{Contents, Library, LibraryError};
use crate::model::Embeddings;
use crate::projection::{UmapConfig, pca, umap};

/// How a map is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapMethod {
    /// At once, along the two directions of largest spread.
    Pca,
    /// Neighbours stay together.
    #[default]
    Umap,
}

/// A place for each row.
pub fn lay_out(
    rows: &Embeddings,
    method: MapMethod,
    seed: u64,
    reporter: &Reporter,
) -> Result<Vec<[f32; 2]>, Stop> {
    match method {
        MapMethod::Pca => Ok(pca(rows)),
        MapMethod::Umap => umap(rows, UmapConfig { seed, ..UmapConfig::default() }, reporter),
    }
}

/// Lays out all of `library` and keeps the places in it.
pub fn map_library(
    library: &mut Library,
    method: MapMethod,
    seed: u64,
    reporter: &Reporter,
) -> Result<Contents, Stop> {
    let mut contents = library.contents()?;
    if contents.model.is_none() {
        return Err(LibraryError::NoModel.into());
    }
    contents.places = lay_out(&contents.embeddings, method, seed, reporter)?;
    library.put_places(&contents.entries, &contents.places)?;
    Ok(contents)
}
