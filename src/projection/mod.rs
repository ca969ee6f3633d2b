//! The map: embeddings projected to two dimensions, so that neighbours stay neighbours.
//!
//! PCA is instant; UMAP takes longer and is clearer. A sample added later gets a place among the others
//! without moving them ([`place`]). [`trustworthiness`] measures how reliable a map is.

mod descent;
mod fuzzy_graph;
mod pace;
mod pca;
mod place;
mod place_grid;
mod trustworthiness;
mod umap;

pub use pca::pca;
pub use place::place;
pub use place_grid::PlaceGrid;
pub use trustworthiness::trustworthiness;
pub use umap::{UmapConfig, umap, umap_from};

pub(crate) use pca::Axes;
