//! Names of archive members: `archive!member`.

use std::path::{Path, PathBuf};

/// Between the name of an archive and that of a member.
pub const SEPARATOR: char = '!';

/// The longest name of a member in bytes, as long as paths in a file system can be. A longer one is cut: formats allow
/// up to a mebibyte, for each of many members.
const MAX_NAME: usize = 4096;

/// The path of a member. Its name may contain anything, since nothing is ever written to this path.
pub fn member_path(archive: &Path, name: &[u8]) -> PathBuf {
    let mut path = archive.as_os_str().to_owned();
    path.push(SEPARATOR.to_string());
    match name.get(..MAX_NAME) {
        Some(start) if name.len() > MAX_NAME => {
            path.push(os_name(whole_characters(start)));
            path.push("…");
        }
        _ => path.push(os_name(name)),
    }
    PathBuf::from(path)
}

/// The bytes without a part of a UTF-8 character at their end.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or(bytes),
        _ => bytes,
    }
}

#[cfg(unix)]
fn os_name(name: &[u8]) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt as _;
    // The system ends names at a zero byte.
    std::ffi::OsString::from_vec(name.iter().copied().filter(|byte| *byte != 0).collect())
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> std::ffi::OsString {
    String::from_utf8_lossy(name).replace('\0', "").into()
}

/// The archive on disk that contains the member `path`: the shortest part of `path` before a separator that is a
/// file. `None` if `path` itself exists.
pub fn archive_of(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return None;
    }
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == SEPARATOR as u8).find_map(|(at, _)| {
        // The separator is ASCII, so the bytes before it are whole characters.
        let name = os_name(bytes.get(..at)?);
        let archive = PathBuf::from(name);
        archive.is_file().then_some(archive)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let path = |name: &str| member_path(Path::new("a.zip"), name.as_bytes()).to_str().map(str::to_owned);
        let longest = "x".repeat(MAX_NAME);
        assert_eq!(path(&longest), Some(format!("a.zip!{longest}")));
        assert_eq!(path(&"x".repeat(MAX_NAME + 1)), Some(format!("a.zip!{longest}…")));
        // A character of two bytes at the limit.
        let name = format!("x{}", "ö".repeat(MAX_NAME));
        let cut = format!("a.zip!x{}…", "ö".repeat(MAX_NAME / 2 - 1));
        assert_eq!(path(&name), Some(cut));
    }
}
