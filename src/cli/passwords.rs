//! `--password`: passwords to try on encrypted archives, and the reader that tries them.

use crate::reading::Reader;
use crate::secret::Secret;
use clap::Args;

/// Passwords of archives.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Try this on encrypted archives, in addition to infected and malware; may be repeated
    #[arg(long = "password", value_name = "WORD")]
    passwords: Vec<Secret>,
}

impl PasswordArgs {
    /// A reader in worker processes of this program, with these passwords and the usual ones.
    pub fn reader(&self) -> Reader {
        let mut reader = Reader::of_this_program();
        self.passwords.iter().for_each(|word| reader.passwords.add(word.clone()));
        reader
    }
}
