//! The selected file: its pictures, facts, header and neighbours.

pub mod file_ui;
mod neighbours_ui;
mod program_ui;
pub mod textures;
