//! Names of zip members: in UTF-8 where the zip says so, else in a code page that must be guessed.

use super::directory::Header;
use crate::sample::code_page;

/// The Unicode path of Info-ZIP (APPNOTE 4.6.9).
const UNICODE_PATH: u16 = 0x7075;

/// The name of a member in UTF-8; `guess` decodes a name whose encoding the zip does not say.
pub fn name(header: &Header, guess: code_page::CodePage) -> Vec<u8> {
    if let Some([1, a, b, c, d, path @ ..]) = header.extra_field(UNICODE_PATH)
        // It belongs to the name that it was made for.
        && u32::from_le_bytes([*a, *b, *c, *d]) == crc32fast::hash(&header.name)
        && std::str::from_utf8(path).is_ok()
        && !path.is_empty()
    {
        return path.to_vec();
    }
    if std::str::from_utf8(&header.name).is_ok() {
        return header.name.clone();
    }
    guess.decode(&header.name).into_bytes()
}

/// The code page of the names that are not UTF-8.
pub fn guess<'a>(headers: impl Iterator<Item = &'a Header>) -> code_page::CodePage {
    let names = headers.map(|header| &header.name[..]).filter(|name| std::str::from_utf8(name).is_err());
    code_page::guess(names)
}
