//! The window. The only place that knows egui.
//!
//! [`Session`] is what is open, [`View`] how the user looks at it, [`Jobs`] what runs behind. Panels
//! draw from these and push [`Command`]s, which `act` carries out once the frame is drawn.

mod act;
mod command;
mod demo;
mod empty_ui;
mod file_ui;
mod header_ui;
mod input;
mod jobs;
mod jobs_ui;
mod lab;
mod label;
mod label_names;
mod map_points;
mod map_ui;
mod neighbours_ui;
mod picker;
mod point_field;
mod point_raster;
mod point_stamps;
mod pulse;
mod question_ui;
mod results;
mod samples_ui;
mod save;
mod session;
mod start;
mod textures;
mod theme;
mod toolbar_ui;
mod training_ui;
mod view;

pub use command::Command;
pub use demo::demo_folder;
pub use lab::Lab;
pub use picker::{Pick, Picker, Reply, SharedPicker, SystemPicker};
pub use session::{Selection, Session, Tone};
pub use start::{Renderer, run};
pub use view::{Remembered, View};

use crate::reading::Reader;
use jobs::Jobs;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use textures::Textures;

/// Key under which the view is remembered.
const STORED: &str = "lookalike-view";

/// What a start of the window begins with.
pub struct Options {
    /// The library to open; without it the one that was open last, or the default.
    pub library: Option<PathBuf>,
    /// Files to look at, or a labelled folder to open.
    pub paths: Vec<PathBuf>,
    /// Begin with the bundled executables.
    pub demo: bool,
    /// Shows file dialogs.
    pub picker: SharedPicker,
    /// Whether the window system is known not to deliver dropped files.
    pub no_drops: bool,
    /// Where the bundled samples are unpacked to.
    pub demo_folder: PathBuf,
    /// Reads files.
    pub reader: Reader,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            library: None,
            paths: Vec::new(),
            demo: false,
            picker: Arc::new(SystemPicker),
            no_drops: false,
            demo_folder: demo_folder(),
            reader: Reader::default(),
        }
    }
}

/// The window's state.
pub struct App {
    /// What is open.
    pub session: Session,
    /// How the user looks at it.
    pub view: View,
    jobs: Jobs,
    pulse: pulse::Pulse,
    /// What the batch-norm lab knows.
    pub lab: lab::Lab,
    textures: Textures,
    /// The map as it was drawn last.
    map_drawn: RefCell<map_points::Drawn>,
    picker: SharedPicker,
    /// Paths that a dialog gave, and whether they answer the open question.
    picked: (mpsc::Sender<Picked>, mpsc::Receiver<Picked>),
    no_drops: bool,
    demo_folder: PathBuf,
    /// The user's own library, to go back to from a demo.
    own_library: PathBuf,
    /// A map that came while the contents were lent to a job.
    unplaced: Option<Vec<[f32; 2]>>,
    /// Labels that came while the contents were lent to a job.
    unlabelled: label::Labels,
    /// Read again when a password is given.
    opened_last: Vec<PathBuf>,
    /// Opened as soon as the library is there.
    waiting: Vec<PathBuf>,
    /// Asked about once the demo is trained.
    held_back: Vec<PathBuf>,
    /// Whether it was said what computes the network.
    told_processor: bool,
    /// Frames begun, up to two: with the second the first has been shown.
    frames: u8,
    ctx: egui::Context,
}

/// The least width of what is known of a file: that of its table of neighbours.
const FILE: f32 = 380.0;
/// The width that the map keeps, where the window is large enough.
const MAP: f32 = 320.0;
/// The width that a training and the lab need.
const PAGE: f32 = 560.0;

enum Picked {
    Open(Vec<PathBuf>),
    Question(Vec<PathBuf>),
}

impl App {
    /// Opens the library and whatever `options` name.
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
            session: Session { reader: options.reader, ..Session::new(path.clone()) },
            view: View { kept, ..View::default() },
            jobs: Jobs::new(wake),
            pulse: pulse::Pulse::default(),
            lab: lab::Lab::default(),
            textures: Textures::default(),
            map_drawn: RefCell::default(),
            picker: options.picker,
            picked: mpsc::channel(),
            no_drops: options.no_drops,
            demo_folder: options.demo_folder,
            own_library: path.clone(),
            unplaced: None,
            unlabelled: Vec::new(),
            opened_last: Vec::new(),
            waiting: options.paths,
            held_back: Vec::new(),
            told_processor: false,
            frames: 0,
            ctx,
        };
        if options.demo {
            app.open_demo(false);
        } else if path.exists() {
            app.open_library(path);
        } else {
            app.open_waiting();
        }
        app
    }

    /// Whether any job runs.
    pub fn busy(&self) -> bool {
        self.jobs.busy()
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
        if let Some((delay, frames)) = self.pulse.frame(busy, std::time::Instant::now()) {
            tracing::info!("{frames} frames while jobs ran; the latest came {delay:.1?} after it was due");
        }
        if busy {
            ctx.request_repaint_after(pulse::BEAT);
        }
        self.take_results();
        self.take_input(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let mut out = Vec::new();
        egui::Panel::top("toolbar").show(ui, |ui| {
            toolbar_ui::toolbar_ui(ui, &self.session, &mut self.view, &mut out);
        });
        egui::Panel::bottom("messages").show(ui, |ui| {
            jobs_ui::messages_ui(ui, &self.session, &mut self.view, &mut out);
        });
        if self.busy() {
            egui::Panel::bottom("jobs").show(ui, |ui| jobs_ui::jobs_ui(ui, &self.jobs, &mut out));
        }
        // In the lab itself the verdict says the same.
        let elsewhere = self.view.kept.tab != view::Tab::BatchNorm;
        if let Some(said) = lab::guard_needed(&self.lab).filter(|_| elsewhere) {
            egui::Panel::top("guard").show(ui, |ui| {
                lab::guard_ui(ui, &said, &self.lab, &mut self.view, &mut out);
            });
        }
        egui::Panel::left("samples").default_size(250.0).min_size(180.0).resizable(true).show(ui, |ui| {
            samples_ui::samples_ui(ui, &self.session, &mut self.view, &mut out);
        });
        // Curves and tables take more room than a map; in a small window they have it to themselves.
        let beside = ui.available_width() - FILE;
        let spare = match self.view.kept.tab {
            view::Tab::Map => (beside - MAP).max(0.0),
            view::Tab::Training | view::Tab::BatchNorm => beside - PAGE,
        };
        if spare >= 0.0 {
            let file = egui::Panel::right("file").default_size(430.0).min_size(FILE).resizable(true);
            file.max_size(FILE + spare).show(ui, |ui| {
                file_ui::file_ui(ui, &self.session, &mut self.view, &mut self.textures, &mut out);
            });
        }
        egui::CentralPanel::default().show(ui, |ui| {
            if empty_ui::needed(&self.session, &self.view) {
                empty_ui::empty_ui(
                    ui,
                    &self.session,
                    &mut self.view,
                    self.jobs.busy(),
                    self.no_drops,
                    &mut out,
                );
            } else {
                self.middle_ui(ui, &mut out);
            }
        });
        question_ui::question_ui(ui, &self.session, &mut self.view, &mut out);
        input::drop_target_ui(ui);
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
    fn middle_ui(&mut self, ui: &mut egui::Ui, out: &mut Vec<Command>) {
        ui.horizontal_wrapped(|ui| {
            let tab = &mut self.view.kept.tab;
            ui.selectable_value(tab, view::Tab::Map, "Map").on_hover_text("All samples in two dimensions");
            ui.selectable_value(tab, view::Tab::Training, "Training")
                .on_hover_text("Train a model, and see its curves");
            ui.selectable_value(tab, view::Tab::BatchNorm, "Batch norm")
                .on_hover_text("Train mode against eval mode: measured, explained, repaired");
            if self.view.kept.tab == view::Tab::Map {
                map_ui::controls_ui(ui, &self.session, &mut self.view, out);
            }
        });
        ui.separator();
        match self.view.kept.tab {
            view::Tab::Map => map_ui::map_ui(ui, &self.session, &mut self.view, &self.map_drawn, out),
            view::Tab::Training => {
                let busy = self.jobs.runs(jobs::Kind::Train);
                training_ui::training_ui(ui, &self.session, &mut self.view, busy, out);
            }
            view::Tab::BatchNorm => {
                let scene = lab::Scene { session: &self.session, lab: &self.lab, jobs: &self.jobs };
                lab::lab_ui(ui, &scene, &mut self.view.lab, out);
            }
        }
    }
}

/// In the user's data folder; beside the program's working folder where there is none.
fn default_library() -> PathBuf {
    match directories::ProjectDirs::from("org", "lookalike", "Lookalike") {
        Some(dirs) => dirs.data_dir().join("library.lookalike"),
        None => PathBuf::from("library.lookalike"),
    }
}
