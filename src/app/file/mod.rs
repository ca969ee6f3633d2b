//! The selected file: its pictures, facts and neighbours.

mod content_ui;
pub mod file_ui;
mod neighbours_ui;
mod program_ui;
mod sections_ui;
pub mod textures;
