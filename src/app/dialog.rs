//! The dialogs that show something: keys, settings, about.

use super::about::About;
use egui::{Key, Modifiers};

/// A dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// The keyboard shortcuts.
    Keys,
    /// The settings.
    Settings,
    /// The edits of the library.
    History,
    /// The models of the library.
    Models,
    /// Version, licences, renderer, sandbox.
    About,
}

impl Dialog {
    /// Text, hint and key of the command that opens it.
    pub fn about(self) -> About {
        match self {
            Self::Keys => About::new("Keyboard shortcuts", "Lists all of them")
                .key_while_typing(Modifiers::NONE, Key::F1),
            Self::Settings => About::new("Settings…", "Colours, panels, and how files are opened")
                .key_while_typing(Modifiers::COMMAND, Key::Comma),
            Self::History => About::new(
                "History…",
                "Lists what was changed in the library, by whom and when; an edit can be undone",
            ),
            Self::Models => About::new(
                "Models of this library…",
                "Lists the models that the library holds, what they were trained on and their figures; another can be used",
            ),
            Self::About => About::new(
                "About Lookalike",
                "Version, licences, what the window is drawn with, how samples are confined",
            ),
        }
    }
}
