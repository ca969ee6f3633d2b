//! Escapes names for display, so that they cannot deceive a reader or a terminal.
//!
//! File names and labels may be chosen by an attacker. A control character can clear a terminal, a right-to-left
//! override can reverse `exe.txt` (Trojan Source, Boucher and Anderson, 2021), and a zero-width space makes two names
//! look the same. Such characters are shown as `\u{…}`, and bytes that are not UTF-8 as `\x…`.

use std::fmt::Write as _;
use std::path::Path;

/// Escapes all characters of `name` that are invisible or change how the rest is shown.
pub fn text(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    push_escaped(&mut out, name);
    out
}

/// The same for a path or any other name from the operating system.
pub fn path(path: &Path) -> String {
    let mut out = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        push_escaped(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// The last component of a path, escaped; the whole path if it has none.
pub fn file_name(whole: &Path) -> String {
    whole.file_name().map_or_else(|| path(whole), |name| path(Path::new(name)))
}

/// A label, escaped; "(no label)" for none.
pub fn label(label: Option<&str>) -> String {
    label.map_or_else(|| "(no label)".to_owned(), text)
}

/// JSON in which no character deceives a terminal: such characters are written as `\\u` and four digits, which means the
/// same in a string of JSON. Outside of strings there are none.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if deceives(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn push_escaped(out: &mut String, name: &str) {
    for c in name.chars() {
        if deceives(c) {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
}

/// Whether `c` is a control character, a format character that is invisible or changes the order of the text around it
/// (Unicode Standard, chapter 23), a line break, or white space other than a space.
fn deceives(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_are_escaped() {
        assert_eq!(text("caffè 中文.exe"), "caffè 中文.exe");
        assert_eq!(text("a\u{202e}txt.exe"), "a\\u{202e}txt.exe");
        assert_eq!(text("a\u{200b}b\n\u{1b}[2J"), "a\\u{200b}b\\u{a}\\u{1b}[2J");
    }

    #[test]
    fn json_means_the_same_without_deceptive_characters() {
        let name = "a\u{202e}b\u{e0041}\u{7f}\n.exe";
        let line = json(&serde_json::to_string(name).unwrap());
        assert_eq!(line, "\"a\\u202eb\\udb40\\udc41\\u007f\\n.exe\"");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), name);
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_utf8_are_escaped() {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(b"/tmp/a\xffb");
        assert_eq!(path(Path::new(name)), "/tmp/a\\xffb");
        assert_eq!(file_name(Path::new(name)), "a\\xffb");
        assert_eq!(file_name(Path::new("/")), "/");
    }
}
