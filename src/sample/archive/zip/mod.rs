//! Zip (PKWARE's APPNOTE.TXT), stored or compressed, also encrypted with ZipCrypto or AES.
//!
//! The structure is read here, since analysts' zips are often prefixed, concatenated, cut off or made to mislead; each
//! member is then decompressed by the `zip` crate.

mod directory;
mod end;
mod member;
mod name;
mod package;
mod read;
mod scanner;
mod splice;

pub use directory::plausible as begins_a_member;
pub use end::{ends_a_zip, last_zip};
pub use read::read;
