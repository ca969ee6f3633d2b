//! Names of members in formats that do not say how they are encoded.

use crate::sample::code_page;

/// Converts the names that are not UTF-8 from the code page that they are most likely in.
pub fn make_readable<'a>(names: impl Iterator<Item = &'a mut Vec<u8>>) {
    let mut others: Vec<_> = names.filter(|name| std::str::from_utf8(name).is_err()).collect();
    let guess = code_page::guess(others.iter().map(|name| &name[..]));
    for name in &mut others {
        **name = guess.decode(name).into_bytes();
    }
}
