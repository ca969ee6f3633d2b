//! The system's file dialogs, on their own thread. Where no dialog service answers, the window has a browser of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// Receives the picked paths, none if the user cancels; `None` if no dialog could be shown.
pub type Reply = Box<dyn FnOnce(Option<Vec<PathBuf>>) + Send>;

/// Nobody cancels a dialog faster than this: it was not shown.
const AT_ONCE: Duration = Duration::from_millis(300);

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
            let begun = Instant::now();
            let dialog = rfd::FileDialog::new();
            let picked: Vec<PathBuf> = match pick {
                Pick::Folder => dialog.pick_folder().into_iter().collect(),
                Pick::Files => dialog.pick_files().unwrap_or_default(),
                Pick::Save(name) => dialog.set_file_name(name).save_file().into_iter().collect(),
            };
            let shown = !picked.is_empty() || begun.elapsed() > AT_ONCE;
            reply(shown.then_some(picked));
        });
        if let Err(error) = spawned {
            tracing::warn!("no thread for a dialog: {error}");
        }
    }
}

/// A picker shared with the app.
pub type SharedPicker = Arc<dyn Picker + Send + Sync>;
