//! Writing a file whole or not at all: to a temporary file beside it, which then takes its place. A full disk
//! or a crash leaves the old file as it was.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A temporary file in the folder of `path`, to be written and then to take its place.
pub fn new_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lookalike-").suffix(".part");
    // The usual permissions of a new file, less the umask, and not those of a temporary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Replaces or creates `path` with `bytes`, which are on the disk once this returns.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_beside(path)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Same as [`write_whole`], with an error for the user.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    write_whole(path, bytes).map_err(|error| SaveError { path: path.to_owned(), why: reason(&error) })
}

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error(
    "could not be written: {why} ({path}). Nothing was changed; choose another place or free some space",
    path = crate::escape::path(.path)
)]
pub struct SaveError {
    path: PathBuf,
    why: String,
}

/// What the operating system said, without the name of the temporary file, which tempfile appends.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" at path ").map_or(text.clone(), |(why, _)| why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        save(&path, b"one").unwrap();
        save(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = save(&folder.path().join("no/such/out.csv"), b"x").unwrap_err();
        assert!(error.to_string().contains("could not be written"));
        assert!(!error.to_string().contains(".part"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_has_the_usual_permissions() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
        save(&ours, b"x").unwrap();
        std::fs::write(&usual, b"x").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
