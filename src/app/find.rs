//! Finds samples of a large library by jobs: those that match the filter of the list, and those that the search is for.

use super::focus::Filter;
use super::jobs::{Kind, Task};
use super::window::App;
use crate::library::Library;
use crate::workflow::{Sought, digest_of, samples_with};

const FILTER: Kind = Kind("filter samples");
const FIND: Kind = Kind("find samples");

impl App {
    /// Finds the samples that match the filter of the list.
    pub(super) fn filter_samples(&mut self, filter: Filter) {
        let contents = self.session.contents.clone();
        self.start(
            Task::new("Filtering").of_kind(FILTER).quiet(),
            move |_| Ok((filter.rows(&contents), filter)),
            |app, (rows, filter)| app.view.listed.take(filter, rows),
        );
    }

    /// Finds the samples that the search is for.
    pub(super) fn find_samples(&mut self, text: String) {
        let (contents, edition) = (self.session.contents.clone(), self.session.edition);
        let path = self.session.library_path.clone();
        self.start(
            Task::new("Searching").of_kind(FIND).quiet(),
            move |_| {
                let mut found = samples_with(&contents, &Sought::new(&text));
                if let Some(digest) = digest_of(&text).filter(|digest| digest.len() < 32) {
                    found.extend(Library::open(&path)?.samples_by_digest(&digest)?);
                    found.retain(|sha256| contents.contains(*sha256));
                }
                Ok((found, text))
            },
            move |app, (samples, text)| app.search.take(&text, edition, samples),
        );
    }
}
