//! Reads the thumbnails that are shown by a job: a library may be on a slow disk, or a server.

use super::jobs::{Kind, Task};
use super::window::App;
use crate::library::Library;

const THUMBNAILS: Kind = Kind("read thumbnails");

impl App {
    /// Reads the thumbnails that the frame lacks, unless others are read just now: then the next frame asks again.
    pub(super) fn read_thumbnails(&mut self) {
        let lacking = self.textures.take_lacking();
        if lacking.is_empty() || self.session.library.is_none() || self.jobs.runs(THUMBNAILS) {
            return;
        }
        let (path, edition) = (self.session.library_path.clone(), self.session.edition);
        self.start(
            Task::new("Reading thumbnails").of_kind(THUMBNAILS).quiet(),
            move |_| {
                // Without a library they are drawn as missing, and not asked for again in each frame.
                let library = Library::open(&path).ok();
                let read = |id| library.as_ref()?.thumbnail(id).ok()?;
                Ok(lacking.into_iter().map(|(sha256, id)| (sha256, read(id))).collect())
            },
            move |app, stored| {
                if edition == app.session.edition {
                    app.textures.put_stored(stored);
                }
            },
        );
    }
}
