//! Watches the file of the open library: another window or program may change it, or it may go away. A thread looks at
//! its modification time; nothing is read or drawn while it stays the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// When a file was changed, and its size; `None` if it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// What the thread has seen.
#[derive(Debug, Default)]
struct Seen {
    /// The file that is watched.
    path: PathBuf,
    /// The library and its write-ahead log.
    stamps: Option<[Stamp; 2]>,
    /// They have changed since the window asked.
    changed: bool,
}

/// The watch. The thread ends with it.
#[derive(Debug, Default)]
pub struct LibraryWatch {
    seen: Arc<Mutex<Seen>>,
    /// The file was said to be gone.
    pub gone: bool,
}

impl LibraryWatch {
    /// Starts the thread; `wake` makes the window look.
    pub fn start(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let watch = Self::default();
        let seen = Arc::downgrade(&watch.seen);
        let spawned = std::thread::Builder::new().name("lookalike-watch".into()).spawn(move || {
            while look(&seen, wake.as_ref()) {
                std::thread::sleep(INTERVAL);
            }
        });
        if let Err(error) = spawned {
            tracing::warn!("changes of the library by others are not seen: {error}");
        }
        watch
    }

    /// Whether the file at `path` has changed since this was asked last. Another path than before has not.
    pub fn has_changed(&self, path: &Path) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.path != path {
            *seen = Seen { path: path.to_owned(), stamps: None, changed: false };
        }
        std::mem::take(&mut seen.changed)
    }

    /// Takes the file as it is now for what the window shows: this window has changed it.
    pub fn renew(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.stamps, seen.changed) = (Some(stamps(&seen.path)), false);
    }

    /// Asks for another look, since the change could not be read now.
    pub fn later(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).changed = true;
    }
}

/// Looks at the file once. Returns whether the window is still there.
fn look(seen: &Weak<Mutex<Seen>>, wake: &(dyn Fn() + Send + Sync)) -> bool {
    let Some(seen) = seen.upgrade() else { return false };
    let lock = || seen.lock().unwrap_or_else(PoisonError::into_inner);
    let path = lock().path.clone();
    if path.as_os_str().is_empty() {
        return true;
    }
    // A network may hang here: the window must not wait for it.
    let stamps = stamps(&path);
    let mut seen = lock();
    if seen.path != path {
        return true;
    }
    let before = seen.stamps.replace(stamps);
    if before.is_some_and(|before| before != stamps) {
        seen.changed = true;
        wake();
    }
    true
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
