//! Uses the answers to questions: opens, loads, and saves files.

use super::jobs::Task;
use super::message::Tone;
use super::question::Purpose;
use super::selection::Selection;
use super::window::App;
use crate::escape;
use crate::experiment::{Format, experiment_csv, mean_over_seeds, render};
use crate::export::for_excel;
use crate::job::Stop;
use crate::library::Contents;
use crate::sample::Sha256;
use crate::search::Look;
use crate::secret::Secret;
use crate::whole_file::save;
use crate::workflow::{
    AskedAs, Queried, QueriedFile, Run, WantedNear, find_near, map_table, neighbour_table_of, sample_table,
};
use std::path::{Path, PathBuf};

impl App {
    /// Opens, loads or saves `path`.
    pub(super) fn use_path(&mut self, purpose: Purpose, path: PathBuf) {
        let contents = self.session.contents.clone();
        match purpose {
            Purpose::Library => self.open_library(path),
            Purpose::LoadModel => self.load_model(path),
            Purpose::Candidate(hash) => {
                let Some(model) = self.lab.made(hash) else {
                    return self.session.say(Tone::Note, "Not saved: the model is no longer in the lab");
                };
                self.save_file(path, move |_, _| Ok(model.bytes.clone()));
            }
            Purpose::ExperimentTable => {
                let rows = mean_over_seeds(&self.lab.rows);
                self.save_file(path, move |_, _| Ok(for_excel(&experiment_csv(&rows))));
            }
            Purpose::ExperimentChart => {
                let chart = self.lab.chart.clone();
                self.save_file(path, move |path, _| render(&chart, Format::of(path)?));
            }
            Purpose::Samples => self.save_file(path, move |_, _| Ok(for_excel(&sample_table(&contents)))),
            Purpose::Map => self.save_file(path, move |_, _| Ok(for_excel(&map_table(&contents)))),
            Purpose::Model => self.save_file(path, move |_, _| match contents.model() {
                Some(model) => Ok(model.bytes.clone()),
                None => Err(Stop::failed("the library has no model")),
            }),
            Purpose::Neighbours | Purpose::AllNeighbours => {
                let (queries, k) = (self.queries(purpose == Purpose::AllNeighbours), self.view.kept.k);
                self.save_file(path, move |_, run| {
                    Ok(for_excel(&neighbour_table(&contents, &queries, k, run)?))
                });
            }
        }
    }

    /// Adds a password and opens the last paths again.
    pub(super) fn try_password(&mut self, password: Secret) {
        self.session.reader.passwords.add(password);
        let again = self.opened_last.clone();
        if again.is_empty() {
            self.session
                .say(Tone::Note, "The password is tried on encrypted archives until the window closes");
        } else {
            self.session.say(Tone::Note, "Opening the last paths again with this password");
            self.open(again);
        }
    }

    /// Saves the bytes that `make` computes.
    fn save_file(
        &mut self,
        path: PathBuf,
        make: impl FnOnce(&Path, &Run<'_>) -> Result<Vec<u8>, Stop> + Send + 'static,
    ) {
        let name = escape::path(&path);
        self.start(
            Task::new(format!("Writing {}", escape::file_name(&path))),
            move |run| Ok(save(&path, &make(&path, run)?)?),
            move |app, ()| app.session.say(Tone::Good, format!("Saved {name}")),
        );
    }

    /// The files whose neighbours are saved: the selected one, or all dropped ones.
    fn queries(&self, all: bool) -> (AskedAs, Vec<Query>) {
        let session = &self.session;
        let query =
            |queried: &Queried| (queried.sample.path.clone(), queried.sample.sha256, queried.look.clone());
        if all {
            return (AskedAs::File, session.queried.iter().map(query).collect());
        }
        match session.selection {
            Some(Selection::InLibrary(sha256)) => {
                let look = session.look(Selection::InLibrary(sha256));
                let found = session.contents.get(sha256).zip(look);
                let query = found.map(|(entry, look)| (entry.path.to_owned(), sha256, look));
                (AskedAs::Sample, query.into_iter().collect())
            }
            Some(Selection::Queried(sha256)) => {
                (AskedAs::File, session.queried(sha256).map(query).into_iter().collect())
            }
            None => (AskedAs::File, Vec::new()),
        }
    }
}

/// Path, hash and look of a sample.
type Query = (PathBuf, Sha256, Look);

/// The neighbours of all `queries` as CSV.
fn neighbour_table(
    contents: &Contents,
    (asked_as, queries): &(AskedAs, Vec<Query>),
    k: usize,
    run: &Run<'_>,
) -> Result<Vec<u8>, Stop> {
    let mut looks = contents.no_looks();
    queries.iter().for_each(|(_, _, look)| looks.push(look));
    let own: Vec<Sha256> = queries.iter().map(|(_, sha256, _)| *sha256).collect();
    let near = find_near(contents, &looks, &own, &WantedNear::all(*asked_as, k), run)?;
    let files = queries
        .iter()
        .zip(&near)
        .map(|((path, sha256, look), near)| (QueriedFile::new(path, *sha256, look, near), near));
    Ok(neighbour_table_of(contents, files))
}
