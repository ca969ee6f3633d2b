//! The selected file: its pictures, its facts, and its nearest samples.

pub mod file_ui;
mod header_ui;
mod neighbours_ui;
pub mod textures;
