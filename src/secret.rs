//! A secret: a password that is kept in memory and shown nowhere.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Text that does not print itself. It is serialised only to the workers of this program.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, every character of it: spaces at its ends belong to a password.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The text, to be edited in place.
    pub fn edit(&mut self) -> &mut String {
        &mut self.0
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_keeps_its_spaces_and_does_not_print_itself() {
        let secret = Secret::from(" hunter2 ");
        assert_eq!(secret.reveal(), " hunter2 ");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
