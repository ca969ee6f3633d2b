//! The options that the window starts with.

use super::demo::demo_folder;
use super::picker::{SharedPicker, SystemPicker};
use super::view::Remembered;
use crate::reading::Reader;
use std::path::PathBuf;
use std::sync::Arc;

/// The options that the window starts with.
pub struct Options {
    /// The library to open; `None` for the one that was open last, or the default.
    pub library: Option<PathBuf>,
    /// Files to query, or a labelled folder to open.
    pub paths: Vec<PathBuf>,
    /// Open the bundled executables.
    pub demo: bool,
    /// Shows file dialogs.
    pub picker: SharedPicker,
    /// The window system is known not to deliver dropped files.
    pub no_drops: bool,
    /// The folder that the bundled samples are unpacked to.
    pub demo_folder: PathBuf,
    /// Reads files.
    pub reader: Reader,
    /// What was remembered, in place of what the system keeps for the window.
    pub remembered: Option<Remembered>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            library: None,
            paths: Vec::new(),
            demo: false,
            picker: Arc::new(SystemPicker),
            no_drops: false,
            demo_folder: demo_folder(),
            reader: Reader::default(),
            remembered: None,
        }
    }
}

/// The default library: in the user's data folder, or without one in the working folder.
pub fn default_library() -> PathBuf {
    match directories::ProjectDirs::from("org", "lookalike", "Lookalike") {
        Some(dirs) => dirs.data_dir().join("library.lookalike"),
        None => PathBuf::from("library.lookalike"),
    }
}
