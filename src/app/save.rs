//! Answers to the question for a path: opening, loading, and all that is written.

use super::App;
use super::jobs::{Finished, Kind};
use super::session::{Selection, Tone};
use super::view::Ask;
use crate::escape;
use crate::experiment::{Format, experiment_csv, mean_over_seeds, render};
use crate::export::{map_csv, neighbours_csv, samples_csv, save};
use crate::job::Stop;
use crate::library::Contents;
use crate::workflow::{Answer, answer, map_rows, neighbour_rows, sample_rows};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl App {
    pub(super) fn answered(&mut self, ask: Ask, path: PathBuf) {
        match ask {
            Ask::Library => self.open_library(path),
            Ask::LoadModel => self.load_model(path),
            Ask::Password => self.try_password(&path),
            Ask::Label(row) => self.label(row, &path.to_string_lossy()),
            Ask::Candidate(i) => {
                if let Some(candidate) = self.lab.candidates.get(i) {
                    let model = Arc::clone(&candidate.model);
                    self.save_file(path, move |_| Ok(model.bytes.clone()));
                }
            }
            Ask::ExperimentTable => {
                let rows = mean_over_seeds(&self.lab.rows);
                self.save_file(path, move |_| Ok(experiment_csv(&rows)));
            }
            Ask::ExperimentChart => {
                let chart = self.lab.chart.clone();
                self.save_file(path, move |path| render(&chart, Format::of(path)?));
            }
            Ask::Neighbours | Ask::Samples | Ask::Map | Ask::Model => self.write(ask, path),
        }
    }

    /// What was opened last is read again with one more password.
    fn try_password(&mut self, typed: &Path) {
        self.session.reader.passwords.add(typed.to_string_lossy().into_owned());
        let again = self.opened_last.clone();
        if again.is_empty() {
            self.session
                .say(Tone::Note, "The password is tried on encrypted archives until the window is closed");
        } else {
            self.session.say(Tone::Note, "What was opened last is read again, with one more password");
            self.open(again);
        }
    }

    /// Writes what `make` makes for the path.
    fn save_file(
        &mut self,
        path: PathBuf,
        make: impl FnOnce(&Path) -> Result<Vec<u8>, Stop> + Send + 'static,
    ) {
        self.jobs.start(Kind::Other, format!("Writing {}", escape::file_name(&path)), move |_| {
            save(&path, &make(&path)?)?;
            Ok(Finished::Saved(format!("Written to {}", escape::path(&path))))
        });
    }

    fn write(&mut self, what: Ask, path: PathBuf) {
        let (contents, k) = (Arc::clone(&self.session.contents), self.view.kept.k);
        // What is shown: the selected library sample, or everything that was asked about.
        let selected = match self.session.selection {
            Some(Selection::Known(row)) => Some((row, self.session.neighbours.clone())),
            _ => None,
        };
        let asked = self.session.asked.clone();
        self.save_file(path, move |_| match what {
            Ask::Samples => Ok(samples_csv(sample_rows(&contents))),
            Ask::Map => Ok(map_csv(map_rows(&contents))),
            Ask::Model => match &contents.model {
                Some(model) => Ok(model.bytes.clone()),
                None => Err(Stop::Failed("the library holds no model".into())),
            },
            _ => Ok(neighbour_table(&contents, selected, &asked, k)),
        });
    }
}

/// The name that is offered.
pub(super) fn suggestion(ask: Ask) -> &'static str {
    match ask {
        Ask::Neighbours => "neighbours.csv",
        Ask::Samples => "samples.csv",
        Ask::Map => "map.csv",
        Ask::Model | Ask::LoadModel => "model.safetensors",
        Ask::Candidate(_) => "model-repaired.safetensors",
        Ask::ExperimentTable => "batchnorm-experiment.csv",
        Ask::ExperimentChart => "batchnorm-experiment.png",
        Ask::Library => "library.lookalike",
        Ask::Password | Ask::Label(_) => "",
    }
}

fn neighbour_table(
    contents: &Contents,
    selected: Option<(usize, Vec<crate::search::Neighbour>)>,
    asked: &[Answer],
    k: usize,
) -> Vec<u8> {
    match &selected {
        Some((row, neighbours)) => {
            let entry = contents.entries.get(*row);
            neighbours_csv(
                entry.into_iter().flat_map(|e| neighbour_rows(contents, &e.path, e.sha256, neighbours)),
            )
        }
        None => {
            let answered: Vec<_> = asked
                .iter()
                .map(|file| (&file.sample, answer(contents, &file.sample, &file.embedding, k).0))
                .collect();
            neighbours_csv(
                answered
                    .iter()
                    .flat_map(|(sample, found)| neighbour_rows(contents, &sample.path, sample.sha256, found)),
            )
        }
    }
}
