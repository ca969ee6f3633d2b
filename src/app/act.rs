//! Executes commands. Each feature executes its own in its own file; here they are dispatched.

use super::browser::Wanted;
use super::command::Command;
use super::dialog::Dialog;
use super::edit_queue::Work;
use super::message::Tone;
use super::picker::Pick;
use super::question::{Answer, Purpose, Question, free_name};
use super::selection::Selection;
use super::view::{Panels, SearchView, Side, Tab};
use super::window::{App, Picked};
use crate::workflow::MapStart;
use std::path::Path;

/// How much one key press zooms the map.
const ZOOM: f32 = 1.3;

impl App {
    /// Executes a command, unless it is unavailable.
    pub(super) fn act(&mut self, command: Command) {
        if command.obstacle(&self.facts()).is_some() {
            return;
        }
        match command {
            Command::Open(paths) => self.open(paths),
            Command::OpenFolder => self.pick(Pick::Folder, Wanted::Open),
            Command::OpenFiles => self.pick(Pick::Files, Wanted::Open),
            Command::BrowseTo(folder) => self.show_in_browser(folder),
            Command::Browsed(path) => {
                if let Some(browser) = self.view.browser.take() {
                    let _ = self.picked.0.send(browser.wanted.picked(vec![path], false));
                }
            }
            Command::EnterPassword => self.view.question = Some(Question::Password(Default::default())),
            Command::UnpackAppended(on) => {
                self.view.kept.unpack_appended = on;
                self.session.reader.options.unpack_appended = on;
            }
            Command::OpenLibrary => self.ask_for_path(Purpose::Library),
            Command::OpenServer => self.view.question = Some(Question::server()),
            Command::KeepCopy => self.keep_copy(),
            Command::ForgetCopy => self.forget_copy(),
            Command::TestServer(url) => self.test_server(url),
            Command::LoadModel => self.ask_for_path(Purpose::LoadModel),
            Command::Save(purpose) => self.ask_for_path(purpose),
            Command::Browse => self.browse(),
            Command::Answer(answer) => {
                self.view.question = None;
                match answer {
                    Answer::Path(purpose, path) if purpose.writes() && path.exists() => {
                        let free = free_name(&path, Path::exists);
                        self.view.question = Some(Question::Replace { purpose, path, free });
                    }
                    Answer::Path(purpose, path) | Answer::Replace(purpose, path) => {
                        self.use_path(purpose, path);
                    }
                    Answer::Password(password) => self.try_password(password),
                    Answer::Label(library, samples, label) => self.label(library, samples, label),
                    Answer::Add(library, samples, label) => self.add_queried(&library, &samples, label),
                    Answer::Close => self.close(),
                    Answer::Rename(library, from, to) if library == self.session.library_path => {
                        self.session.slots.rename(&from, &to);
                        self.edit(Work::Rename(from, to));
                    }
                    Answer::Rename(..) => {
                        self.session.say(Tone::Note, "Not renamed: another library is open now");
                    }
                }
            }
            Command::Demo { digits } => self.open_demo(digits),
            Command::Train => self.train(self.view.kept.train_config()),
            Command::Index => self.index(),
            Command::ReadAgain => self.read_again(),
            Command::ComputeMap(method) => {
                self.view.kept.map_method = method;
                self.compute_map(MapStart::FromSamples);
            }
            Command::FitMap => self.view.fit = true,
            Command::Label(sha256) => {
                let label = self.session.contents.get(sha256).and_then(|entry| entry.label);
                let label = label.unwrap_or_default().to_owned();
                let library = self.session.library_path.clone();
                self.view.question =
                    Some(Question::Label { library, samples: vec![sha256], label, add: false });
            }
            Command::LabelSelected => match self.session.selection {
                Some(Selection::InLibrary(sha256)) => self.act(Command::Label(sha256)),
                Some(Selection::Queried(sha256)) if self.session.contents.contains(sha256) => {
                    self.act(Command::Label(sha256));
                }
                Some(Selection::Queried(sha256)) => self.act(Command::AskToAdd(vec![sha256])),
                None => {}
            },
            Command::AskToAdd(samples) => {
                let library = self.session.library_path.clone();
                let label = self.likely_label(&samples).unwrap_or_default();
                self.view.question = Some(Question::Label { library, samples, label, add: true });
            }
            Command::AddQueried(samples, label) => {
                let library = self.session.library_path.clone();
                self.add_queried(&library, &samples, label);
            }
            Command::Undo => self.edit(Work::Latest { undo: true }),
            Command::Redo => self.edit(Work::Latest { undo: false }),
            Command::UndoEdit(id) => self.edit(Work::History { id, undo: true }),
            Command::RedoEdit(id) => self.edit(Work::History { id, undo: false }),
            Command::RenameLabel(label) => {
                let focus = self.view.focus.as_ref().and_then(|focus| focus.0.clone());
                if let Some(from) = label.or(focus) {
                    let library = self.session.library_path.clone();
                    self.view.question = Some(Question::Rename { library, to: from.clone(), from });
                }
            }
            Command::RemoveSamples(samples) => {
                let selected = match self.session.selection {
                    Some(Selection::InLibrary(sha256)) if samples.is_empty() => vec![sha256],
                    _ => samples,
                };
                if !selected.is_empty() {
                    self.edit(Work::Remove(selected));
                }
            }
            Command::UseModel(hash) => self.use_stored_model(hash),
            Command::KeepModel => self.view.offer = None,
            Command::ResumeTraining => self.resume_training(),
            Command::DiscardTraining => self.discard_training(),
            Command::Select(selection) => self.select(selection),
            Command::Jump(selection) => self.jump(selection),
            Command::NextNeighbour => self.step_through_neighbours(1),
            Command::PreviousNeighbour => self.step_through_neighbours(-1),
            Command::Neighbours(k) => {
                self.view.kept.k = k.max(1);
                self.find_neighbours();
                self.refresh_queried();
            }
            Command::Forget(sha256) => self.forget(&[sha256]),
            Command::ForgetSelected => {
                if let Some(Selection::Queried(sha256)) = self.session.selection {
                    self.forget(&[sha256]);
                }
            }
            Command::ForgetAll => {
                let all: Vec<_> = self.session.queried.iter().map(|queried| queried.sample.sha256).collect();
                self.forget(&all);
            }
            Command::NextFile => self.step_through_files(1),
            Command::PreviousFile => self.step_through_files(-1),
            Command::CopyHash => {
                if let Some(selection) = self.session.selection {
                    self.ctx.copy_text(selection.sha256().to_string());
                    self.session.say(Tone::Good, "SHA-256 copied");
                }
            }
            Command::Escape => {
                let view = &mut self.view;
                if view.browser.take().is_some()
                    || view.search.take().is_some()
                    || view.dialog.take().is_some()
                    || view.question.take().is_some()
                {
                    return;
                }
                if std::mem::take(&mut view.over_map) || std::mem::take(&mut view.messages_open) {
                    return;
                }
                if view.marked.is_some() || view.focus.is_some() || !view.hits.is_empty() {
                    view.marked = None;
                    view.focus = None;
                    view.hits.clear();
                } else {
                    self.select(None);
                }
            }
            Command::ShowTab(tab) => self.view.kept.tab = tab,
            Command::Search => {
                self.view.search = match self.view.search.take() {
                    Some(_) => None,
                    None => Some(SearchView::default()),
                };
            }
            Command::Filter => self.show_filter(),
            Command::FilterSamples(filter) => self.filter_samples(filter),
            Command::FindSamples(text) => self.find_samples(text),
            Command::Dialog(dialog) => {
                self.view.dialog = (self.view.dialog != Some(dialog)).then_some(dialog);
                match self.view.dialog {
                    Some(Dialog::History) => self.read_history(),
                    Some(Dialog::Models) => self.read_models(),
                    _ => {}
                }
            }
            Command::TogglePanel(side) => self.toggle_panel(side),
            Command::SwapPanels => self.view.kept.panels.swapped = !self.view.kept.panels.swapped,
            Command::ResetPanels => {
                self.view.kept.panels = Panels::default();
                self.reset_widths = true;
            }
            Command::Theme(theme) => {
                self.view.kept.theme = theme;
                self.ctx.set_theme(theme.preference());
            }
            Command::ZoomIn => self.view.zoom = Some(ZOOM),
            Command::ZoomOut => self.view.zoom = Some(1.0 / ZOOM),
            Command::MapNames(on) => self.view.kept.names = on,
            Command::SpreadMap => self.spread_map(),
            Command::ExactPlaces(on) => {
                self.view.kept.exact_places = on;
                self.view.fit = true;
            }
            Command::Quit => self.ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Command::Cancel(job) => self.jobs.cancel(job),
            Command::ClearMessages => {
                self.session.messages.clear();
                self.session.skipped.clear();
                self.view.messages_open = false;
            }
            Command::Lab(command) => self.act_in_lab(command),
        }
    }

    /// Shows or hides a side panel. In a small window the left one opens over the map.
    fn toggle_panel(&mut self, side: Side) {
        let panels = &mut self.view.kept.panels;
        match side {
            Side::Left if self.narrow => self.view.over_map = !self.view.over_map,
            Side::Left => panels.left = !panels.left,
            Side::Right => panels.right = !panels.right,
        }
    }

    /// Puts the caret into the filter of the list that is shown.
    fn show_filter(&mut self) {
        if self.view.kept.tab != Tab::Files {
            self.view.kept.sections.samples = true;
            if self.narrow {
                self.view.over_map = true;
            } else {
                self.view.kept.panels.left = true;
            }
        }
        self.view.focus_filter = true;
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
        self.pick(pick, Wanted::Question(purpose));
    }

    fn pick(&self, pick: Pick, wanted: Wanted) {
        let (sender, ctx, own) = (self.picked.0.clone(), self.ctx.clone(), pick.clone());
        self.picker.pick(
            pick,
            Box::new(move |paths| {
                // The window may have been closed meanwhile.
                let _ = sender.send(match paths {
                    Some(paths) => wanted.picked(paths, true),
                    None => Picked::NoDialog(own, wanted),
                });
                ctx.request_repaint();
            }),
        );
    }
}
