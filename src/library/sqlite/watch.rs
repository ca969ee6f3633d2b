//! Watching a library file: its modification time and its size, and those of its write-ahead log.

use crate::library::Watch;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// When a file was changed, and its size; `None` if it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// A watch of a library file.
pub struct FileWatch {
    path: PathBuf,
    stamps: Option<[Stamp; 2]>,
}

impl FileWatch {
    /// Of the library in this file.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), stamps: None }
    }
}

impl Watch for FileWatch {
    fn has_changed(&mut self) -> bool {
        let now = stamps(&self.path);
        self.stamps.replace(now).is_some_and(|before| before != now)
    }

    fn renew(&mut self) {
        self.stamps = Some(stamps(&self.path));
    }
}

/// The stamps of a library and of its write-ahead log.
fn stamps(path: &Path) -> [Stamp; 2] {
    let mut log = OsString::from(path);
    log.push("-wal");
    [stamp(path), stamp(Path::new(&log))]
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}
