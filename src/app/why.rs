//! Why a file is like its nearest sample: a job finds what both share and few samples of the library have.

use super::jobs::{Kind, Task};
use super::selection::Selection;
use super::session::Why;
use super::window::App;
use crate::library::Library;
use crate::workflow::{facts_of, shared_rare};

const SHARED: Kind = Kind("shared traits");

impl App {
    /// Finds what the selected file shares with its nearest sample, unless that is known.
    pub(super) fn find_shared(&mut self) {
        let session = &self.session;
        let (Some(selection), Some(nearest)) = (session.selection, session.neighbours().first()) else {
            return;
        };
        let of = [selection.sha256(), nearest.sha256];
        // The sample of the same content shares all.
        if of[0] == of[1] || session.why.as_ref().is_some_and(|why| why.of == of) || session.library.is_none()
        {
            return;
        }
        let own = match selection {
            Selection::Queried(sha256) => {
                session.queried(sha256).and_then(|queried| queried.sample.facts.clone())
            }
            Selection::InLibrary(_) => None,
        };
        let path = session.library_path.clone();
        self.start(
            Task::new("Comparing names").of_kind(SHARED).quiet(),
            move |run| {
                let library = Library::open(&path)?;
                let facts = facts_of(&library, own.as_deref(), of[0])?;
                let files: Vec<_> = facts.iter().map(|facts| (facts, of[1])).collect();
                Ok(shared_rare(&library, &files, run)?.pop().unwrap_or_default())
            },
            move |app, shared| app.session.why = Some(Why { of, shared }),
        );
    }
}
