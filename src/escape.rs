//! Names as they are shown: what could deceive a reader or a terminal is written out.
//!
//! File names and labels come from whoever made the sample. A control character can clear a
//! terminal, a right-to-left override can turn `exe.txt` around (Trojan Source, Boucher and
//! Anderson, 2021), a zero-width space makes two names look the same. Each is shown as `\u{…}`,
//! and bytes that are not UTF-8 as `\x…`.

use std::fmt::Write as _;
use std::path::Path;

/// `name` with everything that does not show itself written out.
pub fn text(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    push(&mut out, name);
    out
}

/// A path, or any other name the operating system gave us.
pub fn path(path: &Path) -> String {
    let mut out = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        push(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// The last part of a path, escaped; the whole path if it has no last part.
pub fn file_name(whole: &Path) -> String {
    whole.file_name().map_or_else(|| path(whole), |name| path(Path::new(name)))
}

/// A label, escaped; "(no label)" for none.
pub fn label(label: Option<&str>) -> String {
    label.map_or_else(|| "(no label)".to_owned(), text)
}

fn push(out: &mut String, name: &str) {
    for c in name.chars() {
        if deceives(c) {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
}

/// Control characters, format characters that show nothing or change the order of what stands
/// around them (Unicode Standard, chapter 23), line breaks, and blanks that are not a space.
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
    fn what_deceives_is_written_out() {
        assert_eq!(text("caffè 中文.exe"), "caffè 中文.exe");
        assert_eq!(text("a\u{202e}txt.exe"), "a\\u{202e}txt.exe");
        assert_eq!(text("a\u{200b}b\n\u{1b}[2J"), "a\\u{200b}b\\u{a}\\u{1b}[2J");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text_are_shown() {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(b"/tmp/a\xffb");
        assert_eq!(path(Path::new(name)), "/tmp/a\\xffb");
        assert_eq!(file_name(Path::new(name)), "a\\xffb");
        assert_eq!(file_name(Path::new("/")), "/");
    }
}
