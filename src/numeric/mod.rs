//! What the numeric kernels share: the processor's widest vectors, powers and logarithms.

mod power;
mod wide;

pub use power::{log2, power};
pub use wide::wide;
