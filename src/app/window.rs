//! The window: its state and its frames. Panels draw from [`Session`], [`View`] and [`Lab`] and push commands,
//! which are executed after the frame.

use super::browser::Wanted;
use super::command::Command;
use super::demo::Demo;
use super::edit_queue::EditQueue;
use super::facts::Facts;
use super::file::textures::Textures;
use super::files::files_ui::{FilesState, files_ui};
use super::jobs::{Jobs, TRAIN, Task};
use super::lab::lab_ui::lab_ui;
use super::lab::scene::Scene;
use super::lab::state::Lab;
use super::library_watch::LibraryWatch;
use super::map::map_ui::{map_controls_ui, map_ui};
use super::map::state::MapState;
use super::message::Tone;
use super::options::{Options, default_library};
use super::picker::{Pick, SharedPicker};
use super::pulse::{BEAT, Pulse};
use super::question::Purpose;
use super::regions::{Region, Regions};
use super::search::search_ui::{SearchState, search_ui};
use super::selection::Selection;
use super::session::Session;
use super::toasts::Toasts;
use super::view::{Remembered, Tab, View};
use super::{
    browser_ui, command_ui, dialog_ui, drop_target_ui, empty_ui, focus_ring, lab::guard_ui, models_ui,
    question_ui, status_ui, theme, toasts, top_ui, training_ui,
};
use crate::escape;
use crate::job::Stop;
use crate::library::KeptCopy;
use crate::workflow::Run;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// Key under which the view is remembered.
const STORED: &str = "lookalike-view";
/// The window's state.
pub struct App {
    /// What is open.
    pub session: Session,
    /// The user's choices.
    pub view: View,
    /// The state of the batch-norm lab.
    pub lab: Lab,
    pub(super) jobs: Jobs<Self>,
    pub(super) picker: SharedPicker,
    /// Paths from file dialogs.
    pub(super) picked: (mpsc::Sender<Picked>, mpsc::Receiver<Picked>),
    /// The user's own library, to return to after a demo.
    pub(super) own_library: PathBuf,
    pub(super) demo_folder: PathBuf,
    /// The paths that were opened last, to be opened again with a new password.
    pub(super) opened_last: Vec<PathBuf>,
    /// Paths to open as soon as the library is open.
    pub(super) waiting: Vec<PathBuf>,
    /// The demo whose folder is being opened.
    pub(super) demo: Option<Demo>,
    /// Edits to write to the library, one after the other, and those that were written.
    pub(super) edit_queue: EditQueue,
    /// Counts the edits that this window has written.
    pub(super) edits_written: u64,
    /// Whether a fallback to the CPU was looked for and reported.
    pub(super) processor_reported: bool,
    pub(super) ctx: egui::Context,
    no_drops: bool,
    pub(super) textures: Textures,
    pub(super) map: MapState,
    files: FilesState,
    pub(super) search: SearchState,
    /// What the window is drawn with.
    renderer: String,
    /// The window has a rail instead of the left panel.
    pub(super) narrow: bool,
    /// Side panels take their first widths in the next frame.
    pub(super) reset_widths: bool,
    /// Notices when another program changes the library.
    pub(super) watch: LibraryWatch,
    /// A widget had the keyboard's focus in the last frame.
    pub(super) had_focus: bool,
    /// The window closes whatever runs.
    pub(super) closing: bool,
    /// The folder to train on once it is open, and the library for it.
    pub(super) train_when_open: Option<(PathBuf, PathBuf)>,
    /// The regions that F6 goes through.
    pub(super) regions: Regions,
    toasts: Toasts,
    pulse: Pulse,
    /// Frames begun, at most two: when the second begins, the first is on the screen.
    frames: u8,
}

/// Paths from a file dialog.
pub(super) enum Picked {
    /// To open.
    Open(Vec<PathBuf>),
    /// For the open question, and whether the system's dialog gave it: that asks before a file is replaced.
    Question(Purpose, Vec<PathBuf>, bool),
    /// No dialog could be shown.
    NoDialog(Pick, Wanted),
}

impl App {
    /// Opens the library and the paths given by `options`.
    pub fn new(cc: &eframe::CreationContext<'_>, options: Options) -> Self {
        let stored = || cc.storage.and_then(|storage| eframe::get_value(storage, STORED));
        let kept: Remembered = options.remembered.or_else(stored).unwrap_or_default();
        theme::apply(&cc.egui_ctx, kept.theme.preference());
        let path = options.library.or_else(|| kept.library.clone()).unwrap_or_else(default_library);
        let ctx = cc.egui_ctx.clone();
        let wake = Arc::new({
            let ctx = ctx.clone();
            move || ctx.request_repaint()
        });
        let watch_wake = Arc::clone(&wake) as Arc<dyn Fn() + Send + Sync>;
        let mut app = Self {
            session: Session::new(path.clone(), options.reader),
            view: View { kept, ..View::default() },
            lab: Lab::default(),
            jobs: Jobs::new(wake),
            picker: options.picker,
            picked: mpsc::channel(),
            own_library: path.clone(),
            demo_folder: options.demo_folder,
            opened_last: Vec::new(),
            waiting: options.paths,
            demo: None,
            edit_queue: EditQueue::default(),
            edits_written: 0,
            processor_reported: false,
            ctx,
            no_drops: options.no_drops,
            textures: Textures::default(),
            map: MapState::default(),
            files: FilesState::default(),
            search: SearchState::default(),
            renderer: renderer(cc),
            narrow: false,
            reset_widths: false,
            watch: LibraryWatch::start(watch_wake),
            had_focus: false,
            closing: false,
            train_when_open: None,
            regions: Regions::default(),
            toasts: Toasts::default(),
            pulse: Pulse::default(),
            frames: 0,
        };
        app.session.reader.options.unpack_appended = app.view.kept.unpack_appended;
        app.find_interrupted();
        if options.demo {
            app.open_demo(false);
        } else if path.exists() {
            app.open_library(path);
        } else {
            if app.view.kept.recent.contains(&path) {
                let name = escape::path(&path);
                app.session.say(Tone::Bad, format!("The library that was open last is not there any more: {name}. Open another one from the menu of the library; what you drop now begins a new one"));
            }
            app.open_waiting();
        }
        app
    }

    /// Whether a job that is shown is running.
    pub fn busy(&self) -> bool {
        self.jobs.busy()
    }

    /// Whether no job is running, shown or not.
    pub fn settled(&self) -> bool {
        !self.jobs.any()
    }

    /// Starts a job: `work` on its own thread, then `apply` with its result.
    pub(super) fn start<T: Send + 'static>(
        &mut self,
        task: Task,
        work: impl FnOnce(&Run<'_>) -> Result<T, Stop> + Send + 'static,
        apply: impl FnOnce(&mut Self, T) + Send + 'static,
    ) {
        self.jobs.start(task, work, apply);
    }

    /// The facts that decide which commands are available.
    pub fn facts(&self) -> Facts {
        let Self { session, jobs, .. } = self;
        Facts {
            folder_labels: session.folder.as_ref().map(|folder| folder.labels),
            model: session.has_model(),
            samples: !session.contents.is_empty(),
            map: !session.contents.places().is_empty(),
            can_gain: session.can_gain,
            read_only: session.library.as_ref().is_some_and(|library| library.read_only().is_some()),
            shared: session.is_shared() && session.library.is_some(),
            copy_kept: session.is_shared() && KeptCopy::is_kept(&session.library_path),
            from_copy: session.library.as_ref().is_some_and(|library| library.as_copy().is_some()),
            selected: session.selection.is_some(),
            selected_dropped: matches!(session.selection, Some(Selection::Queried(_))),
            dropped: session.queried.len(),
            neighbours: !session.neighbours().is_empty(),
            undo: self.edit_queue.latest(&session.library_path, true).cloned(),
            redo: self.edit_queue.latest(&session.library_path, false).map(|edit| edit.text.clone()),
            editing: !self.edit_queue.is_empty(),
            library: session.library.is_some(),
            focus: self.view.focus.as_ref().is_some_and(|focus| focus.0.is_some()),
            selected_sample: matches!(session.selection, Some(Selection::InLibrary(_))),
            question: self.view.question.is_some(),
            busy: jobs.busy(),
            training: jobs.runs(TRAIN),
            lab: self.lab_facts(),
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        if self.frames < 2 {
            self.frames += 1;
            ctx.request_repaint();
            if self.frames == 2 {
                tracing::info!("the first frame is shown");
            }
        }
        let busy = self.busy();
        if let Some((delay, frames)) = self.pulse.frame(busy, Instant::now()) {
            tracing::info!("{frames} frames while jobs ran; the latest came {delay:.1?} after it was due");
        }
        if busy {
            ctx.request_repaint_after(BEAT);
        }
        self.apply_results();
        self.follow_library();
        self.ask_before_closing(ctx);
        self.apply_input(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let facts = self.facts();
        let mut out = Vec::new();
        self.regions.begin(ui.ctx());
        self.narrow = top_ui::is_narrow(ui.ctx());
        let bar = egui::Frame::side_top_panel(ui.style()).inner_margin(egui::Margin::symmetric(10, 0));
        egui::Panel::top("menu").exact_size(40.0).frame(bar).show(ui, |ui| {
            self.regions.mark(ui, Region::Top);
            top_ui::top_ui(ui, &facts, &self.session, &self.view, &mut out);
        });
        egui::Panel::bottom("status").exact_size(28.0).frame(bar).show(ui, |ui| {
            self.regions.mark(ui, Region::Status);
            status_ui::status_ui(
                ui,
                &facts,
                &self.session,
                &mut self.view,
                &self.jobs,
                &self.toasts,
                &mut out,
            );
        });
        // In the lab, the verdict says the same.
        let outside_lab = self.view.kept.tab != Tab::BatchNorm;
        let in_use = self.lab.model.as_ref().map(|model| model.hash) == self.session.contents.model_hash();
        if let Some(warning) = guard_ui::guard_text(&self.lab).filter(|_| outside_lab && in_use) {
            egui::Panel::top("guard").show(ui, |ui| {
                guard_ui::guard_ui(ui, &warning, &self.lab, &mut self.view, &mut out);
            });
        }
        if let Some(interrupted) = &self.view.resume {
            egui::Panel::top("resume").show(ui, |ui| models_ui::resume_ui(ui, &facts, interrupted, &mut out));
        }
        if let Some(offer) =
            self.view.offer.as_ref().filter(|offer| offer.library == self.session.library_path)
        {
            egui::Panel::top("offer").show(ui, |ui| models_ui::offer_ui(ui, &facts, offer, &mut out));
        }
        if self.view.kept.tab == Tab::BatchNorm {
            // The lab needs the room, and is about the model, not about a file.
        } else if empty_ui::is_needed(&self.session, &self.view)
            && self.session.queried.is_empty()
            && self.session.folder.is_none()
        {
            // Nothing to show beside the first page.
        } else {
            self.panels_ui(ui, &facts, &mut out);
        }
        let frame = egui::Frame::central_panel(ui.style()).inner_margin(egui::Margin::symmetric(10, 4));
        egui::CentralPanel::default().frame(frame).show(ui, |ui| self.middle_ui(ui, &facts, &mut out));
        self.over_map_ui(ui, &mut out);
        question_ui::question_ui(ui, &self.session, &mut self.view, &mut out);
        browser_ui::browser_ui(ui, &mut self.view, &mut out);
        dialog_ui::dialog_ui(ui, &facts, &self.session, &mut self.view, &self.renderer, &mut out);
        search_ui(ui, &facts, &self.session, &mut self.view, &mut self.search, &mut out);
        toasts::toasts_ui(ui, &mut self.toasts, &self.session, &facts, &mut out);
        drop_target_ui::drop_target_ui(ui);
        focus_ring::focus_ring(ui.ctx());
        self.had_focus = ui.memory(|memory| memory.focused().is_some());
        self.read_thumbnails();
        for command in out {
            self.act(command);
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        self.view.kept.library = Some(self.own_library.clone());
        self.view.kept.slots.keep(&self.session.library_path, &self.session.slots);
        eframe::set_value(storage, STORED, &self.view.kept);
    }
}

impl App {
    /// Draws the tabs and the chosen tab's content.
    fn middle_ui(&mut self, ui: &mut egui::Ui, facts: &Facts, out: &mut Vec<Command>) {
        self.regions.mark(ui, Region::Middle);
        let empty = empty_ui::is_needed(&self.session, &self.view);
        ui.horizontal(|ui| {
            ui.set_height(36.0);
            self.tabs_ui(ui, facts, out);
            if self.view.kept.tab == Tab::Map && !empty {
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    map_controls_ui(ui, facts, &self.session, &mut self.view, out);
                });
            }
        });
        let tokens = theme::Tokens::of(ui.visuals());
        let line = ui.max_rect().expand2(egui::vec2(10.0, 0.0)).x_range();
        ui.painter().hline(line, ui.cursor().top() - 2.0, egui::Stroke::new(1.0, tokens.divider));
        match self.view.kept.tab {
            Tab::Map if empty => {
                empty_ui::empty_ui(ui, facts, &self.session, &mut self.view, self.no_drops, out);
            }
            Tab::Map => {
                if self.map.refresh(&self.session, self.view.kept.exact_places) {
                    out.push(Command::SpreadMap);
                }
                map_ui(ui, &self.session, &mut self.view, &self.map, out);
            }
            Tab::Files => files_ui(ui, facts, &self.session, &mut self.view, &mut self.files, out),
            Tab::Training => training_ui::training_ui(ui, facts, &self.session, &mut self.view, out),
            Tab::BatchNorm => {
                let scene = Scene { facts, session: &self.session, lab: &self.lab };
                lab_ui(ui, &scene, &mut self.view.lab, out);
            }
        }
    }

    /// Draws the tabs.
    fn tabs_ui(&self, ui: &mut egui::Ui, facts: &Facts, out: &mut Vec<Command>) {
        let tokens = theme::Tokens::of(ui.visuals());
        for tab in [Tab::Map, Tab::Files, Tab::Training, Tab::BatchNorm] {
            let chosen = self.view.kept.tab == tab;
            let command = Command::ShowTab(tab);
            let name = command.about().text;
            // In a small window the name of the lab is cut to its last word.
            let text = if self.narrow && tab == Tab::BatchNorm { "Lab" } else { name };
            let dropped = self.session.queried.len();
            let shown = match tab {
                Tab::Files if dropped > 0 => format!("{text}  {dropped}"),
                _ => text.to_owned(),
            };
            let text = if chosen {
                theme::heading(shown).color(tokens.text)
            } else {
                egui::RichText::new(shown).weak()
            };
            let button = egui::Button::new(text).frame_when_inactive(false);
            let response = command_ui::command_button_as(ui, facts, button, command, out);
            response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, chosen, name));
            if chosen {
                let below = egui::Rect::from_min_max(
                    egui::pos2(response.rect.left() + 8.0, response.rect.bottom() + 2.0),
                    egui::pos2(response.rect.right() - 8.0, response.rect.bottom() + 4.0),
                );
                ui.painter().rect_filled(below, 1.0, tokens.accent);
            }
        }
    }
}

/// What the window is drawn with, in words.
fn renderer(cc: &eframe::CreationContext<'_>) -> String {
    if let Some(state) = &cc.wgpu_render_state {
        let info = state.adapter.get_info();
        return format!("{} ({:?})", info.name, info.backend);
    }
    if cc.gl.is_some() { "OpenGL".to_owned() } else { "no graphics card".to_owned() }
}
