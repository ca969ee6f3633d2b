//! The system's file dialogs, on their own thread. Where there is no dialog service, paths can be typed.

use std::path::PathBuf;
use std::sync::Arc;

/// The kind of dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// One folder.
    Folder,
    /// One or more files.
    Files,
    /// A file to write, with a suggested name.
    Save(String),
}

/// Receives the picked paths: none if the user cancels or no dialog can be shown.
pub type Reply = Box<dyn FnOnce(Vec<PathBuf>) + Send>;

/// Shows dialogs. Tests replace it.
pub trait Picker {
    /// Returns at once; `reply` is called when the dialog is closed.
    fn pick(&self, pick: Pick, reply: Reply);
}

/// The system's own dialogs.
pub struct SystemPicker;

impl Picker for SystemPicker {
    fn pick(&self, pick: Pick, reply: Reply) {
        let spawned = std::thread::Builder::new().name("lookalike-dialog".into()).spawn(move || {
            let dialog = rfd::FileDialog::new();
            let picked = match pick {
                Pick::Folder => dialog.pick_folder().into_iter().collect(),
                Pick::Files => dialog.pick_files().unwrap_or_default(),
                Pick::Save(name) => dialog.set_file_name(name).save_file().into_iter().collect(),
            };
            reply(picked);
        });
        if let Err(error) = spawned {
            tracing::warn!("no thread for a dialog: {error}");
        }
    }
}

/// A picker shared with the app.
pub type SharedPicker = Arc<dyn Picker + Send + Sync>;
