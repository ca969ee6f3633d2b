//! How a map is computed, and where that starts.

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

/// Where the computation of a map starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapStart {
    /// From the samples alone: the same samples give the same map.
    #[default]
    FromSamples,
    /// From the map there is, so that what does not have to move stays near its place.
    FromPresent,
}
