//! Options for archives: passwords to try, and whether those appended to programs are opened. The reader that uses
//! them.

use crate::reading::{ReadOptions, Reader};
use crate::secret::Secret;
use clap::Args;

/// How archives are read.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// Try this on encrypted archives, in addition to infected and malware; may be repeated
    #[arg(long = "password", value_name = "WORD")]
    passwords: Vec<Secret>,
    /// Open archives that are appended to programs, documents and images too, as in self-extracting archives; these files
    /// stay samples
    #[arg(long)]
    unpack_appended: bool,
}

impl ArchiveArgs {
    /// A reader in worker processes of this program, with these options and the usual passwords.
    pub fn reader(&self) -> Reader {
        let mut reader = Reader::of_this_program();
        self.passwords.iter().for_each(|word| reader.passwords.add(word.clone()));
        reader.options = ReadOptions { unpack_appended: self.unpack_appended };
        reader
    }
}
