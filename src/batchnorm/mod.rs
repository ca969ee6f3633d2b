//! The difference between train mode and eval mode: what it comes from and how it is mended.

mod recompute;

pub use recompute::{PooledStatistics, recompute};
