//! The text, the hint and the key of a command.

use egui::{Key, KeyboardShortcut, Modifiers};

/// The text, the hint and the key of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The text of its button or menu entry.
    pub text: &'static str,
    /// The tooltip.
    pub hint: &'static str,
    /// Its key, if it has one.
    pub key: Option<Shortcut>,
}

/// The key of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortcut {
    /// The key with its modifiers.
    pub keys: KeyboardShortcut,
    /// It also works while the user types text.
    pub while_typing: bool,
}

impl Shortcut {
    /// A key that does not work while the user types text.
    pub const fn new(modifiers: Modifiers, key: Key) -> Self {
        Self { keys: KeyboardShortcut::new(modifiers, key), while_typing: false }
    }

    /// A key that also works while the user types text.
    pub const fn always(modifiers: Modifiers, key: Key) -> Self {
        Self { while_typing: true, ..Self::new(modifiers, key) }
    }
}

impl About {
    /// A command without a key.
    pub const fn new(text: &'static str, hint: &'static str) -> Self {
        Self { text, hint, key: None }
    }

    /// The same command with a key.
    pub const fn key(self, modifiers: Modifiers, key: Key) -> Self {
        Self { key: Some(Shortcut::new(modifiers, key)), ..self }
    }

    /// The same command with a key that also works while the user types text.
    pub const fn key_while_typing(self, modifiers: Modifiers, key: Key) -> Self {
        Self { key: Some(Shortcut::always(modifiers, key)), ..self }
    }
}

/// Pasting, which opens the paths in the clipboard, or searches for the hash in it.
pub const PASTE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::V);
