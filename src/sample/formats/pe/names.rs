//! Names in a PE: which bytes can be one.

/// Whether these bytes can be the name of a function: text in any encoding that extends ASCII.
pub fn is_name(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| *byte >= b' ' && *byte != 0x7f)
}

/// Whether these bytes can be the file name of a library.
pub fn is_library_name(bytes: &[u8]) -> bool {
    is_name(bytes)
        && !bytes.iter().any(|byte| b"\"*<>?|".contains(byte))
        // Other bytes than ASCII are rarely a name and often rubbish.
        && (bytes.is_ascii() || bytes.contains(&b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubbish_is_no_name() {
        assert!(
            is_name(b"?x@@YAXXZ") && is_library_name(b"api-ms-win-core.dll") && is_library_name(b"KERNEL32")
        );
        assert!(is_library_name("größe.dll".as_bytes()));
        assert!(
            !is_name(b"") && !is_name(b"a\x01") && !is_library_name(b"\xd0\xcf") && !is_library_name(b"a*")
        );
    }
}
