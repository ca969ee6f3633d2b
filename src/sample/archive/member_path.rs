//! Names of archive members: `archive!member`.

use std::path::{Path, PathBuf};

/// Between the name of an archive and that of a member.
pub const SEPARATOR: char = '!';

/// The path of a member. Its name may contain anything, since nothing is ever written to this path.
pub fn member_path(archive: &Path, name: &[u8]) -> PathBuf {
    let mut path = archive.as_os_str().to_owned();
    path.push(SEPARATOR.to_string());
    path.push(os_name(name));
    PathBuf::from(path)
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
