//! What leaves the program: tables for a spreadsheet or a script, written whole or not at all.

mod table;

pub use table::{MapRow, NeighbourRow, SampleRow, map_csv, neighbours_csv, samples_csv, table};

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes `bytes` to a neighbouring file first, which then takes the place of `path`, so that a
/// full disk or a crash leaves what was there before.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = part_of(path);
    let written = (|| {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    })();
    if written.is_err() {
        // Only what we made ourselves is removed; failing to is no worse than what failed before.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Likewise, with a message for the user.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    write_whole(path, bytes).map_err(|error| ExportError { path: path.to_owned(), error })
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error(
    "could not be written: {error} ({path}). Nothing was changed; choose another place or free some space",
    path = crate::escape::path(.path)
)]
pub struct ExportError {
    path: PathBuf,
    error: io::Error,
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
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
    }
}
