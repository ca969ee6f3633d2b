//! Watches the file of the open library: another window or program may change it, or it may go away. A thread looks at
//! its modification time; nothing is read or drawn while it stays the same.

use super::jobs::{Kind, Task};
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::library::Library;
use crate::workflow::{count, with_first_map};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_secs(2);
const WATCH: Kind = Kind("watch the library");

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
    gone: bool,
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
    fn has_changed(&self, path: &Path) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.path != path {
            *seen = Seen { path: path.to_owned(), stamps: None, changed: false };
        }
        std::mem::take(&mut seen.changed)
    }

    /// Asks for another look, since the change could not be read now.
    fn later(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).changed = true;
    }
}

/// Looks at the file once. Returns whether the window is still there.
fn look(seen: &Weak<Mutex<Seen>>, wake: &(dyn Fn() + Send + Sync)) -> bool {
    let Some(seen) = seen.upgrade() else { return false };
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.path.as_os_str().is_empty() {
        return true;
    }
    let mut log = OsString::from(&seen.path);
    log.push("-wal");
    let stamps = [stamp(&seen.path), stamp(Path::new(&log))];
    let before = seen.stamps.replace(stamps);
    if before.is_some_and(|before| before != stamps) {
        seen.changed = true;
        wake();
    }
    true
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

impl App {
    /// Shows what another window or program has changed in the open library.
    pub(super) fn follow_library(&mut self) {
        let path = self.session.library_path.clone();
        if !self.watch.has_changed(&path) || self.session.library.is_none() {
            return;
        }
        if self.jobs.any() || !self.edit_queue.is_empty() {
            // It may be this window's own change. It is looked at when the jobs have ended.
            self.watch.later();
            return;
        }
        if !path.exists() {
            if !std::mem::replace(&mut self.watch.gone, true) {
                let name = escape::path(&path);
                self.session.say(Tone::Bad, format!("The library is not there any more: {name}. What is shown stays until the window closes; put the file back, or open another library"));
            }
            return;
        }
        self.watch.gone = false;
        let (shown, before) = (self.session.contents.clone(), self.session.contents.len());
        let file = path.clone();
        self.start(
            Task::new("Reading the library again").of_kind(WATCH).quiet(),
            move |_| {
                let library = Library::open(&file)?;
                let contents = library.contents()?;
                let same = contents.hash() == shown.hash() && contents.labels() == shown.labels();
                Ok((!same).then(|| (library, with_first_map(contents))))
            },
            move |app, changed| {
                let Some((library, contents)) = changed.filter(|_| path == app.session.library_path) else {
                    return;
                };
                let after = contents.len();
                app.show_library(library, contents);
                let what = match after.checked_sub(before) {
                    None => format!("{} fewer", count(before - after, "sample")),
                    Some(0) => "labels or samples".to_owned(),
                    Some(more) => format!("{} more", count(more, "sample")),
                };
                app.session
                    .say(Tone::Note, format!("Another window or program has changed the library: {what}"));
            },
        );
    }
}
