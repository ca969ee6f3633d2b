//! Nearest neighbours: exact, by cosine distance.
//!
//! The cosine distance of two unit vectors is 1 − a·b, from 0 (same) to 2 (opposite). Nothing is
//! approximated: both ways of searching find the same rows.

mod codes;
mod exact;
mod hit;
mod searcher;
#[cfg(test)]
mod testing;
mod usual_distance;
mod vote;

pub use exact::{distance, nearest};
pub use hit::Hit;
pub use searcher::Searcher;
pub use usual_distance::usual_distance;
pub use vote::{Vote, vote};
