//! Closing the window while a training runs, and going on with a training that was interrupted.

use super::jobs::TRAIN;
use super::message::Tone;
use super::question::Question;
use super::view::Interrupted;
use super::window::App;
use crate::escape;
use crate::workflow::checkpoint_of;
use egui::ViewportCommand;
use std::path::Path;

impl App {
    /// Asks before the window closes while work is done. Edits that wait are written first.
    pub(super) fn ask_before_closing(&mut self, ctx: &egui::Context) {
        let works = self.jobs.busy() || !self.edit_queue.is_empty();
        self.view.question.take_if(|question| matches!(question, Question::Close { .. }) && !works);
        if self.closing || !ctx.input(|input| input.viewport().close_requested()) {
            return;
        }
        let training = self.jobs.runs(TRAIN);
        if training || works {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.view.question = Some(Question::Close { training });
        }
    }

    /// Closes the window, whatever runs.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    /// Notes the training that begins, to go on with it if it is interrupted.
    pub(super) fn note_training(&mut self, library: &Path) {
        let Some(folder) = &self.session.folder else { return };
        if folder.path.starts_with(&self.demo_folder) {
            return;
        }
        let kept = &self.view.kept;
        self.view.kept.interrupted = Some(Interrupted {
            folder: folder.path.clone(),
            library: library.to_owned(),
            epochs: kept.epochs,
            norm: kept.norm,
            statistics: kept.statistics,
            convention: kept.convention,
            seed: kept.seed,
        });
    }

    /// At the start: offers to go on with a training that was interrupted, if there is something to go on from.
    pub(super) fn find_interrupted(&mut self) {
        let Some(interrupted) = &self.view.kept.interrupted else { return };
        if checkpoint_of(&interrupted.library).exists() {
            let folder = escape::file_name(&interrupted.folder);
            self.session.say(
                Tone::Note,
                format!("The training on {folder} was interrupted. It can go on from its last checkpoint"),
            );
            self.view.resume = Some(interrupted.clone());
        }
    }

    /// Goes on with the training that was interrupted: opens its library, then its folder, then trains with its settings.
    pub(super) fn resume_training(&mut self) {
        let Some(interrupted) = self.view.resume.clone() else { return };
        if interrupted.library != self.session.library_path {
            self.session
                .say(Tone::Note, "The library of the training is opened first: go on once it is shown");
            return self.open_library(interrupted.library);
        }
        self.view.resume = None;
        let kept = &mut self.view.kept;
        (kept.epochs, kept.norm, kept.statistics) =
            (interrupted.epochs, interrupted.norm, interrupted.statistics);
        (kept.convention, kept.seed) = (interrupted.convention, interrupted.seed);
        self.train_when_open = Some((interrupted.folder.clone(), interrupted.library));
        self.open_folder(interrupted.folder);
    }

    /// Does not go on with it.
    pub(super) fn discard_training(&mut self) {
        self.view.resume = None;
        self.view.kept.interrupted = None;
    }
}
