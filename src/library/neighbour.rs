//! A neighbour: a sample of a library that is near to another.

use crate::model::Cosines;
use crate::sample::Sha256;

/// A sample of the library that is near to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Which sample.
    pub sha256: Sha256,
    /// By a model with views: 1 − the probability that both are of one family, 0 to 1. By another: the cosine distance, 0
    /// (same) to 2 (opposite).
    pub distance: f32,
    /// How alike the views find them; `None` by a model without views.
    pub cosines: Option<Cosines>,
}
