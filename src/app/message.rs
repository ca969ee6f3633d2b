//! A message: one sentence for the user, at the bottom of the window.

use super::edit_queue::WindowEdit;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Success.
    Good,
    /// Something to note.
    Note,
    /// Failure.
    Bad,
}

/// One sentence for the user.
#[derive(Clone, Debug)]
pub struct Message {
    /// How much it matters.
    pub tone: Tone,
    /// The sentence, escaped.
    pub text: String,
    /// The edit that it reports, which can be undone.
    pub edit: Option<WindowEdit>,
}
