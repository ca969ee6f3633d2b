//! Nearest neighbours: exact, by cosine distance.
//!
//! The cosine distance of two unit vectors is 1 − a·b, from 0 (same) to 2 (opposite). Nothing is
//! approximated: both ways of searching find the same rows.

mod clouds;
mod code_scan;
mod codes;
mod combined;
mod copies;
mod dense_whitening;
mod exact;
mod fit;
mod hit;
mod label_fit;
mod look;
mod passing;
mod searcher;
#[cfg(test)]
mod testing;
mod view_index;
mod whitening;

pub use combined::{Allowed, nearest_by_views};
pub use copies::Copies;
pub use exact::{distance, nearest};
pub use fit::fit;
pub use hit::Hit;
pub use label_fit::{LABEL_FIT, LabelFit, PREPARED, choose};
pub use look::{Look, Looks};
pub use passing::Passing;
pub use searcher::Searcher;
pub use view_index::ViewIndex;
