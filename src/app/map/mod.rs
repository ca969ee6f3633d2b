//! The map: all samples in two dimensions.

pub mod cloud;
mod compute;
mod field;
pub mod map_ui;
pub mod names;
pub mod points;
mod raster;
mod stamps;
mod viewport;
