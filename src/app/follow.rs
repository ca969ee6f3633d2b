//! Shows what another window or program has changed in the open library.

use super::jobs::{Kind, Task};
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::library::Location;
use crate::workflow::{count, open_library, read_contents};

const FOLLOW: Kind = Kind("follow the library");

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
        // Whether a server is there is seen when it is read.
        let is_gone =
            Location::parse(&path).is_ok_and(|place| place.file().is_some_and(|file| !file.exists()));
        if is_gone {
            if !std::mem::replace(&mut self.watch.gone, true) {
                let name = escape::path(&path);
                self.session.say(Tone::Bad, format!("The library is not there any more: {name}. What is shown stays until the window closes; put the file back, or open another library"));
            }
            return;
        }
        self.watch.gone = false;
        let written = self.edits_written;
        let (shown, before) = (self.session.contents.clone(), self.session.contents.len());
        let was_copy = self.session.library.as_ref().is_some_and(|library| library.as_copy().is_some());
        let file = path.clone();
        self.start(
            Task::new("Reading the library again").of_kind(FOLLOW).quiet(),
            move |run| {
                // What waited for the server is sent when it is there again.
                let mut library = open_library(&file, run)?;
                let contents = read_contents(&mut library)?;
                let same = contents.hash() == shown.hash() && contents.labels() == shown.labels();
                let as_before = same && library.as_copy().is_some() == was_copy;
                Ok((!as_before).then_some((library, contents, same)))
            },
            move |app, changed| {
                if path != app.session.library_path {
                    return;
                }
                if written != app.edits_written {
                    // This window has changed it meanwhile, so it is read once more.
                    return app.watch.later();
                }
                let Some((library, contents, same)) = changed else { return };
                let after = contents.len();
                app.show_library(library, contents);
                if same {
                    // Only where it is read from is another.
                    return app.refresh_kept_copy();
                }
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
