//! Passwords of archives: those commonly used for sharing malware, and those that the user gives. They are kept in
//! memory and never written.

use super::code_page::in_code_pages;
use crate::secret::Secret;

/// Passwords that are tried on every encrypted archive.
const COMMON: [&str; 2] = ["infected", "malware"];

/// Passwords to try, in order.
#[derive(Clone)]
pub struct Passwords(Vec<Secret>);

impl Default for Passwords {
    fn default() -> Self {
        Self(COMMON.map(Secret::from).to_vec())
    }
}

impl Passwords {
    /// No password at all: encrypted archives stay shut. For fuzzing, since trying one costs a thousand hashes.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// `own`, the last one first, then the common passwords: for a worker, which there are none of on Windows.
    #[cfg(unix)]
    pub(crate) fn with(own: impl IntoIterator<Item = Secret>) -> Self {
        let mut all = Self::default();
        for password in own {
            all.add(password);
        }
        all
    }

    /// Adds a password that is tried first.
    pub(crate) fn add(&mut self, password: Secret) {
        self.0.retain(|known| *known != password);
        self.0.insert(0, password);
    }

    /// The number of passwords.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All passwords as bytes, in the order in which they are tried: in UTF-8, and in the code pages that programs for
    /// Windows and DOS write them in.
    pub(crate) fn in_code_pages(&self) -> impl Iterator<Item = Vec<u8>> {
        self.0.iter().flat_map(|password| {
            let text = password.reveal();
            std::iter::once(text.as_bytes().to_vec()).chain(in_code_pages(text))
        })
    }

    /// All passwords in the order in which they are tried.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }
}

/// Prints how many passwords there are, not the passwords.
impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passwords", self.0.len())
    }
}
