//! Names in a PE: which bytes can be one, and how many of them are kept.

use crate::sample::facts::MAX_NAMES;

/// Bytes of names that may still be kept.
#[derive(Debug)]
pub struct NameBudget {
    left: usize,
}

impl Default for NameBudget {
    fn default() -> Self {
        Self { left: MAX_NAMES }
    }
}

impl NameBudget {
    /// A name as text; `None` beyond the limit.
    pub fn keep(&mut self, name: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(name).into_owned();
        self.spend(text.len())?;
        Some(text)
    }

    /// Counts `len` bytes; `None` beyond the limit.
    pub fn spend(&mut self, len: usize) -> Option<()> {
        self.left = self.left.checked_sub(len)?;
        Some(())
    }
}

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

    #[test]
    fn the_names_that_are_kept_are_limited() {
        let mut names = NameBudget { left: 6 };
        assert_eq!(names.keep(b"abcd").as_deref(), Some("abcd"));
        assert_eq!((names.keep(b"abc"), names.spend(2)), (None, Some(())));
    }
}
