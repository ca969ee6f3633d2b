//! Watches the open library: another window or program may change it, or its file may go away. A thread looks at it; nothing is
//! read or drawn while it stays the same.

use crate::library::{Library, Watch};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How often the library is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// What the thread has seen.
#[derive(Default)]
struct Seen {
    /// The library that is watched.
    path: PathBuf,
    watch: Option<Box<dyn Watch>>,
    /// It has changed since the window asked.
    changed: bool,
    /// The window has changed it while the thread looks.
    renewed: bool,
}

/// The watch. The thread ends with it.
#[derive(Default)]
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
            *seen = Seen { path: path.to_owned(), ..Seen::default() };
        }
        std::mem::take(&mut seen.changed)
    }

    /// Takes the file as it is now for what the window shows: this window has changed it.
    pub fn renew(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.renewed, seen.changed) = (true, false);
        if let Some(watch) = &mut seen.watch {
            watch.renew();
        }
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
    let (path, watch) = {
        let mut seen = lock();
        seen.renewed = false;
        (seen.path.clone(), seen.watch.take())
    };
    if path.as_os_str().is_empty() {
        return true;
    }
    // A network may hang here: the window must not wait for it.
    let Some(mut watch) = watch.or_else(|| Library::watch(&path).ok()) else { return true };
    let changed = watch.has_changed();
    let mut seen = lock();
    if seen.path != path {
        return true;
    }
    seen.watch = Some(watch);
    if changed && !seen.renewed {
        seen.changed = true;
        wake();
    }
    true
}
