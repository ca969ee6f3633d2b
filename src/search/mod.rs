//! Nearest neighbours: exact, by cosine distance.
//!
//! The cosine distance of two unit vectors is 1 − a·b, from 0 (same) to 2 (opposite). Nothing is
//! approximated: both ways of searching find the same rows.

mod bounds;
mod candidate;
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
mod segment;
mod segment_file;
mod segment_search;
mod term_sketch;
#[cfg(test)]
mod testing;
mod view_index;
mod view_segment;
mod view_segment_search;
mod whitening;

pub use candidate::{CANDIDATE, Candidates};
pub use combined::{AGAIN, Allowed, nearest_by_views};
pub use copies::Copies;
pub use exact::{distance, nearest};
pub use fit::{ViewFit, fit};
pub use hit::Hit;
pub use label_fit::{LABEL_FIT, LabelFit, PREPARED, choose};
pub use look::{Look, Looks};
pub use passing::Passing;
pub use searcher::Searcher;
pub use segment::{Segment, write_segment};
pub use segment_file::check_segment_file;
pub use segment_search::{candidates, nearest_of};
pub use view_index::ViewIndex;
pub use view_segment::{MOST_ROWS, ViewSegment, write_view_segment};
pub use view_segment_search::view_candidates;
