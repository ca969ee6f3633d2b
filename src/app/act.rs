//! Executes commands. Each feature executes its own in its own file; here they are dispatched.

use super::command::Command;
use super::picker::Pick;
use super::question::{Answer, Purpose, Question};
use super::window::{App, Picked};
use std::path::PathBuf;

impl App {
    /// Executes a command, unless it is unavailable.
    pub(super) fn act(&mut self, command: Command) {
        if command.obstacle(&self.facts()).is_some() {
            return;
        }
        match command {
            Command::Open(paths) => self.open(paths),
            Command::OpenFolder => self.pick(Pick::Folder, Picked::Open),
            Command::OpenFiles => self.pick(Pick::Files, Picked::Open),
            Command::EnterPassword => self.view.question = Some(Question::Password(Default::default())),
            Command::UnpackAppended(on) => {
                self.view.kept.unpack_appended = on;
                self.session.reader.options.unpack_appended = on;
            }
            Command::OpenLibrary => self.ask_for_path(Purpose::Library),
            Command::LoadModel => self.ask_for_path(Purpose::LoadModel),
            Command::Save(purpose) => self.ask_for_path(purpose),
            Command::Browse => self.browse(),
            Command::Answer(answer) => {
                self.view.question = None;
                match answer {
                    Answer::Path(purpose, path) => self.use_path(purpose, path),
                    Answer::Password(password) => self.try_password(password),
                    Answer::Label(library, sha256, label) => self.label(library, sha256, label),
                }
            }
            Command::Demo { digits } => self.open_demo(digits),
            Command::Train => self.train(self.view.kept.train_config()),
            Command::Index => self.index(),
            Command::ReadAgain => self.read_again(),
            Command::ComputeMap(method) => {
                self.view.kept.map_method = method;
                self.compute_map();
            }
            Command::FitMap => self.view.fit = true,
            Command::Label(sha256) => {
                let label = self.session.contents.get(sha256).and_then(|entry| entry.label);
                let label = label.unwrap_or_default().to_owned();
                let library = self.session.library_path.clone();
                self.view.question = Some(Question::Label { library, sha256, label });
            }
            Command::UndoLabel => self.undo_label(),
            Command::Select(selection) => self.select(selection),
            Command::Jump(selection) => self.jump(selection),
            Command::NextNeighbour => self.step_through_neighbours(1),
            Command::PreviousNeighbour => self.step_through_neighbours(-1),
            Command::Neighbours(k) => {
                self.view.kept.k = k.max(1);
                self.find_neighbours();
                self.refresh_queried();
            }
            Command::Forget(sha256) => self.forget(sha256),
            Command::Escape => {
                if self.view.keys_open {
                    self.view.keys_open = false;
                } else if self.view.question.is_some() {
                    self.view.question = None;
                } else {
                    self.view.marked = None;
                    self.view.focus = None;
                }
            }
            Command::ShowTab(tab) => self.view.kept.tab = tab,
            Command::Keys => self.view.keys_open = !self.view.keys_open,
            Command::Cancel(job) => self.jobs.cancel(job),
            Command::ClearMessages => {
                self.session.messages.clear();
                self.session.skipped.clear();
                self.view.messages_open = false;
            }
            Command::Lab(command) => self.act_in_lab(command),
        }
    }

    /// Opens a question for a path.
    fn ask_for_path(&mut self, purpose: Purpose) {
        self.view.question = Some(Question::path(purpose));
    }

    /// Lets the system's dialog answer the open question.
    fn browse(&self) {
        let Some(Question::Path { purpose, .. }) = &self.view.question else { return };
        let purpose = *purpose;
        let pick = if purpose.reads() { Pick::Files } else { Pick::Save(purpose.suggestion().to_owned()) };
        self.pick(pick, move |paths| Picked::Question(purpose, paths));
    }

    fn pick(&self, pick: Pick, wrap: impl FnOnce(Vec<PathBuf>) -> Picked + Send + 'static) {
        let (sender, ctx) = (self.picked.0.clone(), self.ctx.clone());
        self.picker.pick(
            pick,
            Box::new(move |paths| {
                // The window may have been closed meanwhile.
                let _ = sender.send(wrap(paths));
                ctx.request_repaint();
            }),
        );
    }
}
