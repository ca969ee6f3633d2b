//! The system's file dialogs, on a thread of their own. Where no dialog service answers, the path
//! field does the same.

use std::path::PathBuf;
use std::sync::Arc;

/// What to ask the system for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// One folder.
    Folder,
    /// One or more files.
    Files,
    /// A name to write to; the suggestion.
    Save(String),
}

/// Takes what was picked; nothing if the user changed their mind or no dialog could be shown.
pub type Reply = Box<dyn FnOnce(Vec<PathBuf>) + Send>;

/// Something that shows dialogs; tests put another in its place.
pub trait Picker {
    /// Returns at once; `reply` is called when there is an answer.
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

/// A picker that the app can keep.
pub type SharedPicker = Arc<dyn Picker + Send + Sync>;
