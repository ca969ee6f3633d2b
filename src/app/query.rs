//! Querying files, and showing the result.

use super::jobs::Task;
use super::message::Tone;
use super::selection::Selection;
use super::view::Tab;
use super::window::App;
use crate::escape;
use crate::workflow::{self, QueryResult, count};
use std::path::PathBuf;

/// Queried samples whose pictures are kept to be shown.
pub const PICTURES: usize = 2000;

impl App {
    /// Queries files.
    pub(super) fn query(&mut self, files: Vec<PathBuf>) {
        let (contents, k) = (self.session.contents.clone(), self.view.kept.k);
        let reader = self.session.reader.clone();
        let title = match files.as_slice() {
            [only] => format!("Querying {}", escape::file_name(only)),
            many => format!("Querying {} files", many.len()),
        };
        let paths = files.clone();
        self.start(
            Task::new(title),
            move |run| workflow::query(&files, &contents, k, PICTURES, &reader, run),
            |app, result| app.show_queried(paths, result),
        );
    }

    /// Queries the dropped files of another model again.
    pub(super) fn query_again(&mut self, paths: Vec<PathBuf>) {
        let (contents, k) = (self.session.contents.clone(), self.view.kept.k);
        let reader = self.session.reader.clone();
        let again = paths.clone();
        self.start(
            Task::new(format!("Comparing {} again", count(paths.len(), "file"))),
            move |run| {
                let mut files: Vec<PathBuf> =
                    paths.iter().filter_map(|path| workflow::file_of(path)).collect();
                files.dedup();
                workflow::query(&files, &contents, k, PICTURES, &reader, run)
            },
            move |app, result| app.show_queried(again, result),
        );
    }

    /// Shows the samples queried at `paths`. If the library's model has changed meanwhile, their embeddings cannot
    /// be compared with the library's, so the paths are queried again.
    pub(super) fn show_queried(&mut self, paths: Vec<PathBuf>, result: QueryResult) {
        if self.session.contents.model_hash() != Some(result.model) {
            if self.session.has_model() {
                self.session.say(Tone::Note, "Queried again: the library's model changed meanwhile");
                self.query(paths);
            } else {
                self.session.say(Tone::Note, "Not shown: the library's model changed meanwhile");
            }
            return;
        }
        let last = result.queried.last().map(|queried| queried.sample.sha256);
        if result.queried.len() > 1 {
            self.session.say(Tone::Good, format!("{} compared", count(result.queried.len(), "file")));
        }
        let same = self.session.queried.extend(result.queried);
        if let [(before, now), more @ ..] = &same[..] {
            let (before, now) = (escape::file_name(before), escape::file_name(now));
            let more = match more.len() {
                0 => String::new(),
                n => format!(", and so are {}", count(n, "more file")),
            };
            let text = format!(
                "{now} has the content of {before}, which was dropped before: they are one entry{more}"
            );
            self.session.say(Tone::Note, text);
        }
        if let Some(last) = last {
            self.select(Some(Selection::Queried(last)));
            self.view.kept.tab = Tab::Map;
        }
        // Samples may have been added to the library meanwhile.
        self.refresh_queried();
    }
}
