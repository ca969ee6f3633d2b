//! Paths in pasted or typed text.

use percent_encoding::percent_decode_str;
use std::path::PathBuf;

/// The paths in a text, one per line: plain, quoted, or as `file://` addresses.
pub fn paths_in(text: &str) -> Vec<PathBuf> {
    text.lines()
        .map(|line| line.trim().trim_matches(['"', '\'']))
        .filter(|line| !line.is_empty())
        .map(|line| match line.strip_prefix("file://") {
            Some(path) => PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned()),
            None => PathBuf::from(line),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_copied_by_file_managers_becomes_paths() {
        let paths = paths_in("file:///tmp/a%20b\n\"/home/x y\"\r\n\n/plain%20\n");
        assert_eq!(paths, ["/tmp/a b", "/home/x y", "/plain%20"].map(PathBuf::from));
        assert_eq!(paths_in("file:///%zz%4"), [PathBuf::from("/%zz%4")]);
    }
}
