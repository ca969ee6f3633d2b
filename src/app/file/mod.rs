//! The selected file: its pictures, facts, header and neighbours.

pub mod file_ui;
mod header_ui;
mod neighbours_ui;
pub mod textures;
