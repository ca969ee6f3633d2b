//! The selected file: the verdict on it, its neighbours, pictures and facts.

mod card_ui;
mod content_ui;
pub mod file_ui;
mod neighbours_ui;
mod pictures_ui;
mod program_ui;
mod reason;
mod sections_ui;
mod shared_ui;
mod shown;
pub mod textures;
