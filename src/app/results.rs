//! Taking in what jobs end with.

use super::App;
use super::jobs::{Finished, Kind};
use super::session::{Folder, Selection, Tone};
use super::view::Tab;
use crate::escape;
use crate::job::Outcome;
use crate::library::{Contents, Library};
use crate::model::Processor;
use crate::sample::Skipped;
use crate::workflow;
use std::path::PathBuf;
use std::sync::Arc;

/// Share of the library's samples whose nearest neighbour is called usual.
const USUAL: f64 = 0.95;

impl App {
    pub(super) fn take_results(&mut self) {
        while let Ok(epoch) = self.jobs.epochs.1.try_recv() {
            self.session.history.push(epoch);
        }
        while let Ok(row) = self.jobs.rows.1.try_recv() {
            if self.jobs.runs(Kind::Experiment) {
                self.lab.add_row(row);
            }
        }
        let ended = self.jobs.poll();
        if !ended.is_empty()
            && !std::mem::replace(&mut self.told_processor, Processor::found().is_some())
            && let Some(why) = Processor::found().and_then(|found| found.fallback_reason.as_ref())
        {
            self.session.say(Tone::Note, format!("The network is computed on the CPU: {why}"));
        }
        for (title, quiet, outcome) in ended {
            match outcome {
                Outcome::Done(finished) => self.take(finished),
                Outcome::Cancelled if !quiet => self.session.say(Tone::Note, format!("{title}: cancelled")),
                Outcome::Failed(why) if !quiet => {
                    self.session.say(Tone::Bad, format!("{title}: {why}"));
                    self.open_waiting();
                }
                Outcome::Cancelled | Outcome::Failed(_) => {}
            }
        }
        self.show_labels();
        // A job that still reads the contents wakes the window when it ends: then it is tried again.
        if let Some(places) = self.unplaced.take() {
            match self.session.place(places) {
                Ok(()) => self.view.fit = true,
                Err(places) => self.unplaced = Some(places),
            }
        }
    }

    fn take(&mut self, finished: Finished) {
        match finished {
            Finished::Folder(path, taken) => self.take_folder(path, taken),
            Finished::Library(opened, said, skipped) => {
                self.take_library(*opened);
                if let Some(said) = said {
                    self.session.say(Tone::Good, said);
                }
                self.leave_out(skipped);
                self.open_waiting();
            }
            Finished::Trained(opened, said) => {
                let (library, contents) = *opened;
                if let Some(model) = &contents.model {
                    self.session.history.clone_from(&model.config.training.history);
                }
                self.take_library((library, contents));
                // Whoever trained from the lab wants to see what became of it there.
                if self.view.kept.tab == Tab::Training {
                    self.view.kept.tab = Tab::Map;
                }
                self.session.say(Tone::Good, said);
                let held_back = std::mem::take(&mut self.held_back);
                if !held_back.is_empty() {
                    self.ask_about(held_back);
                }
            }
            Finished::Answers(answers) => {
                for answer in answers.answers {
                    self.session.asked.retain(|other| other.sample.sha256 != answer.sample.sha256);
                    self.session.asked.push(answer);
                }
                if let Some(last) = self.session.asked.len().checked_sub(1) {
                    self.select(Some(Selection::Asked(last)));
                    self.view.kept.tab = Tab::Map;
                }
                self.leave_out(answers.skipped);
            }
            Finished::Places(places, hash) => {
                if self.session.answers_by(hash) && places.len() == self.session.contents.entries.len() {
                    self.unplaced = Some(places);
                }
            }
            Finished::Usual(usual, hash) => {
                if self.session.answers_by(hash) {
                    self.session.usual_distance = usual;
                }
            }
            Finished::Inspected(row, read) => {
                self.session.inspected.insert(row, *read);
            }
            Finished::Lab(finished) => self.take_lab(finished),
            Finished::Header(sha256, header) => {
                const KEPT: usize = 1000;
                if self.session.headers.len() >= KEPT {
                    self.session.headers.clear();
                }
                self.session.headers.insert(sha256, header);
            }
            Finished::Labels(labels, said) => self.take_labels(labels, said),
            Finished::Saved(said) => self.session.say(Tone::Good, said),
            Finished::Demo(folder, held_back, library) => {
                self.session.library_path = library;
                self.session.show(Contents::default(), self.view.kept.k);
                self.held_back = held_back;
                self.open(vec![folder]);
            }
        }
    }

    fn take_folder(&mut self, path: PathBuf, taken: workflow::Read) {
        let mut labels: Vec<_> =
            taken.set.samples.iter().filter_map(|sample| sample.label.as_deref()).collect();
        labels.sort_unstable();
        labels.dedup();
        let labels = labels.len();
        self.session.say(
            Tone::Good,
            format!("{}: {} files of {labels} labels", escape::path(&path), taken.set.samples.len()),
        );
        if labels < 2 {
            self.session.say(
                Tone::Bad,
                format!("{} cannot be trained on: expected at least two labels (FOLDER/<label>/<files>), found {labels}. Put the files of each family into a folder of its own", escape::path(&path)),
            );
        }
        let of_demo = path.starts_with(&self.demo_folder);
        if !of_demo && self.session.library_path.starts_with(&self.demo_folder) {
            // The user's own samples do not belong into the demo's library.
            self.session.library = None;
            self.session.library_path.clone_from(&self.own_library);
            self.session.show(Contents::default(), self.view.kept.k);
            if self.own_library.exists() {
                self.open_library(self.own_library.clone());
            }
        }
        self.session.folder = Some(Folder { path, set: Arc::new(taken.set), labels });
        self.lab.measured = None;
        self.measure();
        self.leave_out(taken.skipped);
        if !self.held_back.is_empty() {
            self.train();
        } else if self.session.can_answer() && self.view.kept.tab == Tab::Map {
            self.view.kept.tab = Tab::Training;
        }
    }

    fn take_library(&mut self, (library, contents): (Library, Contents)) {
        let unmapped = contents.provisional || contents.places.is_empty();
        self.session.library_path = library.path().to_owned();
        if !self.session.library_path.starts_with(&self.demo_folder) {
            self.own_library.clone_from(&self.session.library_path);
        }
        if let Some(why) = &contents.damage {
            let n = contents.entries.len();
            self.session.say(
                Tone::Bad,
                format!("The library is damaged ({why}): {n} samples could be read and are shown. Save them as CSV, or go back to a backup; `lookalike library check` tells more"),
            );
        } else if let Some(why) = library.read_only() {
            self.session.say(
                Tone::Note,
                format!("The library can only be read ({why}): what is trained or added now is not kept"),
            );
        }
        self.session.library = Some(library);
        tracing::info!("the library is open: {} samples", contents.entries.len());
        self.unplaced = None;
        self.session.show(contents, self.view.kept.k);
        self.view.only_label = None;
        self.view.marked = None;
        self.view.fit = true;
        if self.session.history.is_empty()
            && let Some(model) = &self.session.contents.model
        {
            self.session.history.clone_from(&model.config.training.history);
        }
        if unmapped && !self.session.contents.entries.is_empty() {
            self.lay_out();
        }
        self.measure_usual();
        self.lab.look_at(self.session.contents.model.clone());
        // More samples by the same model change nothing of what is known of it on the open folder.
        if self.lab.report().is_none() {
            self.measure();
        }
    }

    /// How far samples of this library usually lie apart: what a distance is compared with.
    fn measure_usual(&mut self) {
        let contents = Arc::clone(&self.session.contents);
        let Some(hash) = contents.model.as_ref().map(|model| model.hash) else {
            return;
        };
        self.jobs.start(Kind::Usual, "Measuring distances", move |_| {
            Ok(Finished::Usual(crate::search::usual_distance(&contents.embeddings, USUAL), hash))
        });
    }

    fn leave_out(&mut self, skipped: Vec<Skipped>) {
        if let Some(first) = skipped.first() {
            let n = skipped.len();
            let first = format!("{} {}", escape::path(&first.path), first.reason);
            let text = if n == 1 {
                format!("Left out: {first}")
            } else {
                format!("{n} files were left out; the first: {first}")
            };
            self.session.say(Tone::Note, text);
        }
        self.session.skipped.extend(skipped);
    }
}
