//! `--password`: which passwords to try on encrypted archives; and the reader that tries them.

use crate::reading::Reader;
use clap::Args;

/// Passwords of archives.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Try this on encrypted archives, besides infected and malware; may be given several times
    #[arg(long = "password", value_name = "WORD")]
    passwords: Vec<String>,
}

impl PasswordArgs {
    /// Reads in worker processes of this program, with those given and the usual ones.
    pub fn reader(&self) -> Reader {
        let mut reader = Reader::of_this_program();
        self.passwords.iter().for_each(|word| reader.passwords.add(word.clone()));
        reader
    }
}
