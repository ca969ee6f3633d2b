//! Clutter: folders and files that operating systems, version control and editors leave everywhere, and that nobody
//! means when opening a folder.

use super::kind::FileKind;

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

/// Whether an archive member is passed over: by its path in the archive, and by its first bytes if they are known,
/// which a program is not, whatever its name.
pub fn is_clutter(name: &[u8], head: Option<&[u8]>) -> bool {
    let name = String::from_utf8_lossy(name);
    let mut parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    let file = parts.pop().unwrap_or_default();
    let in_clutter = parts.iter().any(|part| is_clutter_folder(part));
    if !in_clutter && !is_clutter_file(file) {
        return false;
    }
    match head {
        Some(head) if FileKind::identify(head).0.is_executable() => false,
        Some(head) if !in_clutter && file.starts_with("._") => head.starts_with(APPLE_DOUBLE),
        _ => true,
    }
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
    fn a_program_among_clutter_is_a_sample() {
        let elf = b"\x7fELF\x02\x01\x01";
        assert!(is_clutter(b"__MACOSX/._a.exe", None) && is_clutter(b"a/.git/config", Some(b"[core]")));
        assert!(!is_clutter(b"__MACOSX/a.exe", Some(elf)) && !is_clutter(b"Thumbs.db", Some(elf)));
        assert!(
            is_clutter(b"x/._a", Some(b"\x00\x05\x16\x07\0")) && !is_clutter(b"x/._a", Some(b"#!/bin/sh"))
        );
        assert!(!is_clutter(b"a/b.exe", None) && is_clutter(b"a\\Thumbs.db", Some(b"\xd0\xcf\x11\xe0")));
    }
}
