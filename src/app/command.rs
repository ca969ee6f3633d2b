//! What a control asks for. Panels only collect commands; the app carries them out after the frame
//! is drawn.

use super::lab::LabCommand;
use super::session::Selection;
use super::view::{Ask, Layout};
use std::path::PathBuf;

/// One wish of the user.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Look at files, or open a labelled folder: whatever the paths are.
    Open(Vec<PathBuf>),
    /// Ask for a folder with the system's dialog.
    PickFolder,
    /// Ask for files with the system's dialog.
    PickFiles,
    /// Ask for the path of a question with the system's dialog.
    PickForQuestion,
    /// Ask for a path.
    Question(Ask),
    /// The question was answered.
    Answer(Ask, PathBuf),
    /// Open the bundled samples: executables, or digits as images.
    Demo {
        /// Digits instead of executables.
        digits: bool,
    },
    /// Train on the open folder.
    Train,
    /// Put the open folder into the library by its model.
    Index,
    /// Lay out the map.
    LayOut(Layout),
    /// Take the latest change of labels back.
    UndoLabels,
    /// Select something.
    Select(Option<Selection>),
    /// Mark something on the map and bring it to the middle.
    Jump(Selection),
    /// List this many neighbours.
    Neighbours(usize),
    /// Forget a file that was asked about.
    Forget(usize),
    /// Cancel a job.
    Cancel(usize),
    /// Clear the messages.
    ClearMessages,
    /// Something in the batch-norm lab.
    Lab(LabCommand),
}
