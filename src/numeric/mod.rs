//! Shared by the numeric kernels: the processor's widest vectors, powers and logarithms, inner products and principal axes.

mod dot;
mod power;
mod principal_axes;
mod wide;

pub use dot::{dot, squared_distance};
pub(crate) use power::{log2, power};
pub use principal_axes::principal_axes;
pub(crate) use wide::wide;
