//! Opens the window's own file browser and reads the folders that it shows.

use super::browser::{Browser, Wanted, entries};
use super::jobs::{Kind, Task};
use super::picker::Pick;
use super::window::{App, Picked};
use crate::job::Stop;
use std::path::PathBuf;

const BROWSE: Kind = Kind("browse");

impl Wanted {
    /// Paths that were picked for it.
    pub(super) fn picked(self, paths: Vec<PathBuf>, by_system: bool) -> Picked {
        match self {
            Self::Open => Picked::Open(paths),
            Self::Question(purpose) => Picked::Question(purpose, paths, by_system),
        }
    }
}

impl App {
    /// Opens the browser in the user's home folder, or where it was last.
    pub(super) fn browse_in_window(&mut self, pick: Pick, wanted: Wanted) {
        let home = || directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned());
        let last = self.view.kept.browsed.clone().filter(|folder| folder.is_dir());
        let folder = last.or_else(home).unwrap_or_else(|| PathBuf::from("/"));
        self.view.browser =
            Some(Browser { pick, wanted, folder: folder.clone(), entries: None, more: false, at: None });
        self.show_in_browser(folder);
    }

    /// Shows another folder in the open browser.
    pub(super) fn show_in_browser(&mut self, folder: PathBuf) {
        let Some(browser) = &mut self.view.browser else { return };
        browser.folder.clone_from(&folder);
        (browser.entries, browser.at) = (None, None);
        self.view.kept.browsed = Some(folder.clone());
        let of = folder.clone();
        self.start(
            Task::new("Reading a folder").of_kind(BROWSE).quiet(),
            move |_| -> Result<_, Stop> { Ok(entries(&folder).map_err(|error| error.to_string())) },
            move |app, entries| {
                if let Some(browser) = app.view.browser.as_mut().filter(|browser| browser.folder == of) {
                    browser.more = entries.as_ref().is_ok_and(|(_, more)| *more);
                    let entries = entries.map(|(entries, _)| entries);
                    browser.at = entries.as_ref().ok().filter(|entries| !entries.is_empty()).map(|_| 0);
                    browser.entries = Some(entries);
                }
            },
        );
    }
}
