//! `--password`: which passwords to try on encrypted archives.

use crate::sample::Passwords;
use clap::Args;

/// Passwords of archives.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Try this on encrypted archives, besides infected and malware; may be given several times
    #[arg(long = "password", value_name = "WORD")]
    passwords: Vec<String>,
}

impl PasswordArgs {
    /// Those given, and the usual ones.
    pub fn all(&self) -> Passwords {
        Passwords::with(self.passwords.iter().cloned())
    }
}
