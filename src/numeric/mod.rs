//! Shared by the numeric kernels: the processor's widest vectors, powers and logarithms.

mod power;
mod wide;

pub(crate) use power::{log2, power};
pub(crate) use wide::wide;
