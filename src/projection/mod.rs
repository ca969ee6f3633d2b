//! The map: embeddings laid out in two dimensions, so that what is close stays close.
//!
//! PCA is there at once; UMAP follows. A file that comes later is given a place among the others
//! without moving them ([`place`]). How far a map can be believed is its trustworthiness.

mod descent;
mod fuzzy_graph;
mod pca;
mod place;
mod place_grid;
mod trustworthiness;
mod umap;

pub use pca::{Axes, pca};
pub use place::place;
pub use place_grid::PlaceGrid;
pub use trustworthiness::trustworthiness;
pub use umap::{UmapConfig, umap};
