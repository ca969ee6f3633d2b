//! The map: all samples in two dimensions.

mod cloud;
mod field;
mod legend_ui;
pub mod map_ui;
mod names;
mod overlay;
mod points;
mod raster;
pub mod spread;
mod stamps;
pub mod state;
mod viewport;
