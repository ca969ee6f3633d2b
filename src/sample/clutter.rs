//! Clutter: folders and files that operating systems, version control and editors leave everywhere, and that nobody
//! means when opening a folder.

/// Folders that are passed over with all that is in them, in lower case.
const FOLDERS: [&str; 18] = [
    // Version control.
    ".git",
    ".svn",
    ".hg",
    ".bzr",
    // Programs.
    ".ipynb_checkpoints",
    "__pycache__",
    // macOS.
    "__macosx",
    ".spotlight-v100",
    ".fseventsd",
    ".documentrevisions-v100",
    ".temporaryitems",
    ".appledouble",
    // Windows.
    "$recycle.bin",
    "system volume information",
    // Network drives.
    "@eadir",
    "#recycle",
    "#snapshot",
    ".snapshot",
];

/// Files that are passed over, in lower case.
const FILES: [&str; 7] =
    [".ds_store", ".localized", "icon\r", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"];

/// The first bytes of an AppleDouble file (RFC 1740, appendix B), which macOS writes beside a file as `._name`.
const APPLE_DOUBLE: &[u8] = b"\x00\x05\x16\x07";
/// The first bytes of a `.DS_Store`.
const DS_STORE: &[u8] = b"\x00\x00\x00\x01Bud1";
/// The first bytes of a compound file (MS-CFB), which a `Thumbs.db` is.
const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Whether a folder of this name is passed over. `.Trash` may be followed by the number of a user.
pub fn is_clutter_folder(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    FOLDERS.contains(&name.as_str())
        || name
            .strip_prefix(".trash")
            .is_some_and(|rest| rest.is_empty() || rest == "es" || rest.starts_with('-'))
}

/// Whether a file of this name is passed over.
pub fn is_clutter_file(name: &str) -> bool {
    name.starts_with("._") || FILES.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether an archive member is passed over: by its path in the archive, and by its first bytes if they are known. A
/// folder hides nothing in an archive: only what a system writes, by name and by content, is clutter.
pub fn is_clutter(name: &[u8], head: Option<&[u8]>) -> bool {
    let name = String::from_utf8_lossy(name);
    let mut parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    let file = parts.pop().unwrap_or_default();
    let Some(head) = head else { return is_clutter_file(file) };
    if head.starts_with(APPLE_DOUBLE) {
        // Without `._`, file servers keep them in a folder.
        return file.starts_with("._") || parts.iter().any(|part| is_clutter_folder(part));
    }
    match file.to_ascii_lowercase().as_str() {
        lower if !is_clutter_file(lower) => false,
        ".ds_store" => head.starts_with(DS_STORE),
        "desktop.ini" => is_ini(head),
        ".localized" | "icon\r" => head.is_empty(),
        lower => lower.ends_with(".db") && head.starts_with(COMPOUND_FILE),
    }
}

/// Whether this is the start of an INI file, in ASCII or UTF-16: a section or a comment.
fn is_ini(head: &[u8]) -> bool {
    let mut text = head.iter().filter(|byte| !b"\0\xff\xfe\xef\xbb\xbf".contains(byte));
    text.find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| b"[;".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systems_leave_is_clutter() {
        for name in [".git", "__MACOSX", "$RECYCLE.BIN", ".Trash", ".Trash-1000", ".Trashes", "@eaDir"] {
            assert!(is_clutter_folder(name), "{name}");
        }
        for name in ["git", ".gitea", ".config", ".trashbot", "train", "emotet"] {
            assert!(!is_clutter_folder(name), "{name}");
        }
        for name in [".DS_Store", "Thumbs.db", "desktop.ini", "._a.exe", "THUMBS.DB"] {
            assert!(is_clutter_file(name), "{name}");
        }
        for name in ["thumbs.exe", ".bashrc", "a._b", "desktop.ini.exe"] {
            assert!(!is_clutter_file(name), "{name}");
        }
    }

    #[test]
    fn in_an_archive_only_what_systems_write_is_clutter() {
        let double = &b"\x00\x05\x16\x07\0"[..];
        let thumbs = &b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..];
        for (name, head) in [
            ("__MACOSX/._a.exe", double),
            ("x/._a", double),
            (".AppleDouble/a", double),
            (".DS_Store", b"\x00\x00\x00\x01Bud1"),
            ("a\\Thumbs.db", thumbs),
            ("desktop.ini", b"\xff\xfe\r\0\n\0[\0"),
            ("desktop.ini", b"[.ShellClassInfo]"),
            ("Icon\r", b""),
        ] {
            assert!(is_clutter(name.as_bytes(), Some(head)), "{name}");
        }
        for (name, head) in [
            ("__MACOSX/evil.js", &b"eval()"[..]),
            ("__MACOSX/a.exe", b"\x7fELF\x02\x01\x01"),
            ("a/.git/config", b"[core]"),
            ("x/._a", b"#!/bin/sh"),
            ("a", double),
            (".DS_Store", b"x"),
            ("Thumbs.db", b"\x7fELF"),
            ("desktop.ini", b"MZ"),
            ("desktop.ini", thumbs),
            (".localized", b"x"),
        ] {
            assert!(!is_clutter(name.as_bytes(), Some(head)), "{name}");
        }
        assert!(is_clutter(b"__MACOSX/._a.exe", None) && !is_clutter(b"__MACOSX/evil.js", None));
    }
}
