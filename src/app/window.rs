//! The window: its state and its frames. Panels draw from [`Session`], [`View`] and [`Lab`] and push commands,
//! which are executed after the frame.

use super::command::Command;
use super::demo::Demo;
use super::facts::Facts;
use super::file::file_ui::file_ui;
use super::file::textures::Textures;
use super::jobs::{Jobs, TRAIN, Task};
use super::lab::lab_ui::lab_ui;
use super::lab::scene::Scene;
use super::lab::state::Lab;
use super::lab_facts::LabFacts;
use super::lab_kinds::{EMBED, EXPERIMENT, MEASURE, REPAIR};
use super::label_edit::{LabelEdit, LabelQueue};
use super::map::map_ui::{map_controls_ui, map_ui};
use super::map::state::MapState;
use super::options::{Options, default_library};
use super::picker::SharedPicker;
use super::pulse::{BEAT, Pulse};
use super::question::Purpose;
use super::session::Session;
use super::view::{Remembered, Tab, View};
use super::{
    command_ui, drop_target_ui, empty_ui, jobs_ui, lab::guard_ui, question_ui, samples_ui, theme, toolbar_ui,
    training_ui,
};
use crate::job::Stop;
use crate::workflow::Run;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// Key under which the view is remembered.
const STORED: &str = "lookalike-view";
/// The least width of the file panel: that of the table of neighbours.
const FILE: f32 = 380.0;
/// The least width of the map beside the file panel.
const MAP: f32 = 320.0;
/// The least width of the training tab and the lab beside the file panel.
const PAGE: f32 = 560.0;

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
    /// The labels given in this window, newest last, for undo.
    pub(super) label_edits: Vec<LabelEdit>,
    /// The paths that were opened last, to be opened again with a new password.
    pub(super) opened_last: Vec<PathBuf>,
    /// Paths to open as soon as the library is open.
    pub(super) waiting: Vec<PathBuf>,
    /// The demo whose folder is being opened.
    pub(super) demo: Option<Demo>,
    /// Labels to write to the library, one after the other.
    pub(super) label_queue: LabelQueue,
    /// Counts the labels that this window has written.
    pub(super) labels_written: u64,
    /// Whether a fallback to the CPU was looked for and reported.
    pub(super) processor_reported: bool,
    pub(super) ctx: egui::Context,
    no_drops: bool,
    pub(super) textures: Textures,
    map: MapState,
    pulse: Pulse,
    /// Frames begun, at most two: when the second begins, the first is on the screen.
    frames: u8,
}

/// Paths from a file dialog.
pub(super) enum Picked {
    /// To open.
    Open(Vec<PathBuf>),
    /// For the open question.
    Question(Purpose, Vec<PathBuf>),
}

impl App {
    /// Opens the library and the paths given by `options`.
    pub fn new(cc: &eframe::CreationContext<'_>, options: Options) -> Self {
        theme::apply(&cc.egui_ctx);
        let kept: Remembered =
            cc.storage.and_then(|storage| eframe::get_value(storage, STORED)).unwrap_or_default();
        let path = options.library.or_else(|| kept.library.clone()).unwrap_or_else(default_library);
        let ctx = cc.egui_ctx.clone();
        let wake = Arc::new({
            let ctx = ctx.clone();
            move || ctx.request_repaint()
        });
        let mut app = Self {
            session: Session::new(path.clone(), options.reader),
            view: View { kept, ..View::default() },
            lab: Lab::default(),
            jobs: Jobs::new(wake),
            picker: options.picker,
            picked: mpsc::channel(),
            own_library: path.clone(),
            demo_folder: options.demo_folder,
            label_edits: Vec::new(),
            opened_last: Vec::new(),
            waiting: options.paths,
            demo: None,
            label_queue: LabelQueue::default(),
            labels_written: 0,
            processor_reported: false,
            ctx,
            no_drops: options.no_drops,
            textures: Textures::default(),
            map: MapState::default(),
            pulse: Pulse::default(),
            frames: 0,
        };
        app.session.reader.options.unpack_appended = app.view.kept.unpack_appended;
        if options.demo {
            app.open_demo(false);
        } else if path.exists() {
            app.open_library(path);
        } else {
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
        let Self { session, lab, jobs, .. } = self;
        Facts {
            folder_labels: session.folder.as_ref().map(|folder| folder.labels),
            model: session.has_model(),
            samples: !session.contents.is_empty(),
            map: !session.contents.places().is_empty(),
            can_gain: session.can_gain,
            read_only: session.library.as_ref().is_some_and(|library| library.read_only().is_some()),
            neighbours: !session.neighbours().is_empty(),
            label_edits: self.label_edits.iter().any(|edit| edit.library == session.library_path)
                || !self.label_queue.is_empty(),
            question: self.view.question.is_some(),
            busy: jobs.busy(),
            training: jobs.runs(TRAIN),
            lab: LabFacts {
                model: lab.model.clone(),
                measured: lab.report().is_some(),
                measuring: jobs.runs(MEASURE),
                embedding: jobs.runs(EMBED),
                repairing: jobs.runs(REPAIR),
                experimenting: jobs.runs(EXPERIMENT),
                rows: !lab.rows.is_empty(),
                previous: !lab.previous.is_empty(),
            },
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
        self.apply_input(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let facts = self.facts();
        let mut out = Vec::new();
        egui::Panel::top("toolbar").show(ui, |ui| {
            toolbar_ui::toolbar_ui(ui, &facts, &self.session, &mut self.view, &mut out);
        });
        egui::Panel::bottom("messages").show(ui, |ui| {
            jobs_ui::messages_ui(ui, &facts, &self.session, &mut self.view, &mut out);
        });
        if facts.busy {
            egui::Panel::bottom("jobs").show(ui, |ui| jobs_ui::jobs_ui(ui, &self.jobs, &mut out));
        }
        // In the lab, the verdict says the same.
        let outside_lab = self.view.kept.tab != Tab::BatchNorm;
        if let Some(warning) = guard_ui::guard_text(&self.lab).filter(|_| outside_lab) {
            egui::Panel::top("guard").show(ui, |ui| {
                guard_ui::guard_ui(ui, &warning, &self.lab, &mut self.view, &mut out);
            });
        }
        egui::Panel::left("samples").default_size(250.0).min_size(180.0).resizable(true).show(ui, |ui| {
            samples_ui::samples_ui(ui, &self.session, &mut self.view, &mut out);
        });
        // Curves and tables need more room than the map: a small window hides the file panel beside them.
        let beside = ui.available_width() - FILE;
        let spare = match self.view.kept.tab {
            Tab::Map => (beside - MAP).max(0.0),
            Tab::Training | Tab::BatchNorm => beside - PAGE,
        };
        if spare >= 0.0 {
            let file = egui::Panel::right("file").default_size(430.0).min_size(FILE).resizable(true);
            file.max_size(FILE + spare).show(ui, |ui| {
                file_ui(ui, &facts, &self.session, &mut self.view, &mut self.textures, &mut out);
            });
        }
        egui::CentralPanel::default().show(ui, |ui| {
            if empty_ui::is_needed(&self.session, &self.view) {
                empty_ui::empty_ui(ui, &facts, &self.session, &mut self.view, self.no_drops, &mut out);
            } else {
                self.middle_ui(ui, &facts, &mut out);
            }
        });
        question_ui::question_ui(ui, &self.session, &mut self.view, &mut out);
        command_ui::keys_ui(ui, &mut self.view);
        drop_target_ui::drop_target_ui(ui);
        for command in out {
            self.act(command);
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        self.view.kept.library = Some(self.own_library.clone());
        eframe::set_value(storage, STORED, &self.view.kept);
    }
}

impl App {
    /// Draws the tabs and the chosen tab's content.
    fn middle_ui(&mut self, ui: &mut egui::Ui, facts: &Facts, out: &mut Vec<Command>) {
        ui.horizontal_wrapped(|ui| {
            for tab in [Tab::Map, Tab::Training, Tab::BatchNorm] {
                let command = Command::ShowTab(tab);
                let button = egui::Button::selectable(self.view.kept.tab == tab, command.about().text);
                command_ui::command_button_as(ui, facts, button, command, out);
            }
            if self.view.kept.tab == Tab::Map {
                map_controls_ui(ui, facts, &self.session, &mut self.view, out);
            }
        });
        ui.separator();
        match self.view.kept.tab {
            Tab::Map => {
                self.map.refresh(&self.session);
                map_ui(ui, &self.session, &mut self.view, &self.map, out);
            }
            Tab::Training => training_ui::training_ui(ui, facts, &self.session, &mut self.view, out),
            Tab::BatchNorm => {
                let scene = Scene { facts, session: &self.session, lab: &self.lab };
                lab_ui(ui, &scene, &mut self.view.lab, out);
            }
        }
    }
}
