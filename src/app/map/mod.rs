//! The map: all samples in two dimensions.

mod cloud;
mod field;
pub mod map_ui;
mod names;
mod points;
mod raster;
mod stamps;
pub mod state;
mod viewport;
