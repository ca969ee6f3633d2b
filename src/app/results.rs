//! Applies job results and the events that jobs report.

use super::advice::{error_advice, skipped_advice, warning_advice};
use super::edit::EDIT;
use super::jobs::{News, TRAIN};
use super::library::OPEN;
use super::message::Tone;
use super::window::App;
use crate::escape;
use crate::job::Outcome;
use crate::model::Processor;
use crate::sample::Skipped;
use crate::workflow::{Event, Warning};

impl App {
    /// Applies the results and events since the last frame.
    pub(super) fn apply_results(&mut self) {
        let news = self.jobs.poll();
        if news.is_empty() {
            return;
        }
        let ended = news.iter().any(|news| matches!(news, News::Ended { .. }));
        if ended
            && !std::mem::replace(&mut self.processor_reported, Processor::found().is_some())
            && let Some(why) = Processor::found().and_then(|found| found.fallback_reason.as_ref())
        {
            self.session.say(Tone::Note, format!("The network is computed on the CPU: {why}"));
        }
        for news in news {
            let (title, kind, shown, reported, outcome) = match news {
                News::Event(event) => {
                    self.apply_event(event);
                    continue;
                }
                News::Ended { title, kind, shown, reported, outcome } => {
                    (title, kind, shown, reported, outcome)
                }
            };
            let failed = matches!(outcome, Outcome::Failed(_));
            match outcome {
                Outcome::Done(apply) => apply(self),
                Outcome::Cancelled if !shown => {}
                Outcome::Failed(_) if !reported => {}
                Outcome::Cancelled => self.session.say(Tone::Note, format!("{title}: cancelled")),
                Outcome::Failed(error) => {
                    self.session.say(Tone::Bad, format!("{title}: {}", error_advice(error.as_ref())));
                }
            }
            // One that failed has a checkpoint, from which it can go on.
            if kind == Some(TRAIN) && !failed {
                self.view.kept.interrupted = None;
            }
            if shown || kind == Some(EDIT) {
                // The library may have changed, and is shown as it is now.
                self.watch.renew();
            }
            // However it ended, what waits for it is next.
            if kind == Some(OPEN) {
                self.open_waiting();
            }
            if kind == Some(EDIT) {
                self.edit_queue.busy = false;
                self.write_edits();
            }
        }
    }

    fn apply_event(&mut self, event: Event) {
        match event {
            // A training for a library that is no longer open has no curves here.
            Event::Epoch(epoch) if self.session.curves_of.is_some() => self.session.history.push(epoch),
            Event::Row(row, _) => self.lab.add_row(row),
            Event::Skipped(files) => self.show_skipped(files),
            Event::Warning(warning) => {
                if let Warning::Sent { place, numbers, .. } = &warning {
                    self.edit_queue.renumber(place, numbers);
                }
                self.session.say(Tone::Note, warning_advice(&warning));
            }
            // The library is read again once all samples are added.
            // Only the command line inspects files by a task; the window reads the facts of the selected file.
            Event::Epoch(_) | Event::Added(_) | Event::Inspected(_) => {}
        }
    }

    fn show_skipped(&mut self, skipped: Vec<Skipped>) {
        let (duplicates, others): (Vec<Skipped>, Vec<Skipped>) =
            skipped.into_iter().partition(Skipped::is_duplicate);
        let what = |file: &Skipped| format!("{} {}", escape::path(&file.path), file.reason);
        let advice = skipped_advice(&others);
        let parts = [
            (duplicates, "Duplicate", "are duplicates", String::new()),
            (others, "Skipped", "were skipped", advice),
        ];
        for (files, one, several, advice) in parts {
            let text = match &files[..] {
                [] => continue,
                [file] => format!("{one}: {}{advice}", what(file)),
                [first, ..] => format!("{} files {several}; the first: {}{advice}", files.len(), what(first)),
            };
            self.session.say(Tone::Note, text);
            self.session.skipped.extend(files);
        }
    }
}
