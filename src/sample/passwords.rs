//! Passwords of archives: those commonly used for sharing malware, and those that the user gives. They are kept in
//! memory and never written.

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

    /// The password at `which` in the order in which they are tried.
    pub(crate) fn get(&self, which: usize) -> Option<&str> {
        self.0.get(which).map(Secret::reveal)
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
