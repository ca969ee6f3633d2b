//! The real `App` without a screen, driven by the labels that a screen reader reads and by the events that a window
//! system sends.

use crate::common::{self, corpus, sample};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, HarnessBuilder, SnapshotOptions};
use lookalike::app::{App, Command, Options, Pick, Picker, Reply, Selection, Tab};
use lookalike::reading::{Limits, Reader, Workers};
use lookalike::workflow::Verdict;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Only guards against hanging.
const PATIENCE: Duration = Duration::from_secs(300);

/// Answers file dialogs with paths set by the test.
#[derive(Default)]
struct FakePicker {
    /// Whether the system has dialogs.
    shown: std::sync::atomic::AtomicBool,
    answers: Mutex<Vec<PathBuf>>,
    asked: Mutex<Vec<Pick>>,
}

impl Picker for FakePicker {
    fn pick(&self, pick: Pick, reply: Reply) {
        self.asked.lock().unwrap().push(pick);
        reply(
            self.shown
                .load(std::sync::atomic::Ordering::Relaxed)
                .then(|| std::mem::take(&mut *self.answers.lock().unwrap())),
        );
    }
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// The size at which the window opens.
const USUAL: egui::Vec2 = egui::vec2(1280.0, 800.0);

/// A window that is driven by the tests.
pub struct Window {
    pub harness: Harness<'static, App>,
    home: TempDir,
    picker: Arc<FakePicker>,
}

impl Window {
    /// Opens an empty window with its own folder.
    pub fn open() -> Self {
        Self::open_sized(USUAL)
    }

    pub fn open_sized(size: egui::Vec2) -> Self {
        Self::build(Harness::builder().with_size(size))
    }

    /// Opens a window that is rendered, for pictures.
    pub fn open_rendered(size: egui::Vec2, options: SnapshotOptions) -> Self {
        Self::build(Harness::builder().with_size(size).wgpu().with_options(options))
    }

    /// The same, at so many pixels a point.
    pub fn open_rendered_at(size: egui::Vec2, pixels_per_point: f32, options: SnapshotOptions) -> Self {
        let builder = Harness::builder().with_size(size).with_pixels_per_point(pixels_per_point);
        Self::build(builder.wgpu().with_options(options))
    }

    /// The system shows no file dialogs any more.
    pub fn no_dialogs(&self) {
        self.picker.shown.store(false, std::sync::atomic::Ordering::Relaxed);
    }

    /// Closes the window and opens it again, with what it remembers.
    pub fn reopen(&mut self) {
        let options = Options {
            library: Some(self.at("library.lookalike")),
            picker: self.picker.clone(),
            demo_folder: self.at("demo"),
            reader: self.harness.state().session.reader.clone(),
            remembered: Some(self.harness.state().view.kept.clone()),
            ..Options::default()
        };
        self.harness = Harness::builder().with_size(USUAL).build_eframe(|cc| App::new(cc, options));
        self.harness.step();
    }

    fn build(builder: HarnessBuilder<App>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let picker = Arc::new(FakePicker::default());
        picker.shown.store(true, std::sync::atomic::Ordering::Relaxed);
        let options = Options {
            library: Some(home.path().join("library.lookalike")),
            picker: picker.clone(),
            demo_folder: home.path().join("demo"),
            reader: Reader::with_workers(Workers::new(
                env!("CARGO_BIN_EXE_lookalike").into(),
                Limits::default(),
            )),
            ..Options::default()
        };
        let harness = builder.build_eframe(|cc| App::new(cc, options));
        let mut window = Self { harness, home, picker };
        window.harness.step();
        window
    }

    /// Opens a window and trains on the three synthetic families.
    pub fn trained() -> Self {
        Self::trained_sized(USUAL)
    }

    fn trained_sized(size: egui::Vec2) -> Self {
        let mut window = Self::open_sized(size);
        let known = window.at("known");
        corpus(&known);
        window.drop(&[&known]);
        window.wait_for("36 files of 3 labels");
        window.wait_for("added and compared");
        window.harness.state_mut().view.kept.epochs = 12;
        window.train();
        window.wait_for("recall@1 on 3 files held out");
        window
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Trains on the open folder, from the tab of that name.
    pub fn train(&mut self) {
        self.click("Training");
        self.click("Train");
    }

    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(2);
    }

    /// Gives a library sample a label, with the mouse.
    pub fn label(&mut self, sha256: lookalike::sample::Sha256, label: &str) {
        self.select(sha256);
        self.click("Label…");
        self.type_into_question(label);
        self.harness.run_steps(2);
        self.click_button("Label");
        self.wait_for(&format!("now has the label {label}"));
    }

    /// Clicks a button, where a heading has the same text.
    pub fn click_button(&mut self, label: &str) {
        self.harness.get_by_role_and_label(egui::accesskit::Role::Button, label).click();
        self.harness.run_steps(2);
    }

    /// Clicks what has a label that contains `part`.
    pub fn click_part(&mut self, part: &str) {
        self.harness.get_by_label_contains(part).click();
        self.harness.run_steps(2);
    }

    pub fn drop(&mut self, paths: &[&Path]) {
        let files = paths.iter().map(|path| Arc::new(Dropped((*path).to_owned())) as _);
        self.harness.input_mut().dropped_files = files.collect();
        self.harness.step();
    }

    /// Draws frames until the window shows this text.
    pub fn wait_for(&mut self, text: &str) {
        let begun = Instant::now();
        while self.harness.query_all_by_label_contains(text).next().is_none() {
            assert!(
                begun.elapsed() < PATIENCE,
                "{text:?} did not appear; messages: {:#?}",
                self.harness.state().session.messages
            );
            std::thread::sleep(Duration::from_millis(10));
            self.harness.step();
        }
        // Once more, so that the commands of this frame are applied.
        self.harness.step();
    }

    pub fn wait_until(&mut self, what: &str, condition: impl Fn(&App) -> bool) {
        let begun = Instant::now();
        while !condition(self.harness.state()) {
            assert!(begun.elapsed() < PATIENCE, "{what}: {:#?}", self.harness.state().session.messages);
            std::thread::sleep(Duration::from_millis(10));
            self.harness.step();
        }
    }

    /// Replaces the text in the open question.
    pub fn type_into_question(&mut self, text: &str) {
        *self.harness.state_mut().view.question.as_mut().unwrap().text().unwrap() = text.to_owned();
    }

    /// Answers the open question for a path.
    pub fn save_as(&mut self, path: &Path) {
        self.type_into_question(path.to_str().unwrap());
        self.harness.step();
        self.click("Save");
    }

    /// Selects a sample of the library through the search.
    pub fn select(&mut self, sha256: lookalike::sample::Sha256) {
        self.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::K);
        self.harness.run_steps(2);
        self.harness.get_by_role(egui::accesskit::Role::SearchInput).type_text(&sha256.to_string());
        self.harness.run_steps(3);
        self.harness.key_press(egui::Key::Enter);
        self.harness.run_steps(3);
        self.wait_until("its neighbours are found", |app| App::settled(app) && app.session.near().is_some());
        self.harness.run_steps(2);
    }

    pub fn shows(&self, text: &str) -> bool {
        self.harness.query_all_by_label_contains(text).next().is_some()
    }
}

#[test]
fn from_a_labelled_folder_to_a_table_of_neighbours() {
    let mut window = Window::open();
    for step in [
        "What does this file look like?",
        "Open a labelled folder",
        "Try bundled samples",
        "Train, if you like",
    ] {
        assert!(window.shows(step), "an empty window shows the first steps");
    }
    window.harness.check_accessibility();

    // Open the folder with the system's dialog.
    let known = window.at("known");
    corpus(&known);
    window.picker.answers.lock().unwrap().push(known);
    window.click("Choose a folder…");
    assert_eq!(*window.picker.asked.lock().unwrap(), [Pick::Folder]);
    window.wait_for("36 files of 3 labels");
    window.wait_for("added and compared");

    // Train: curves, then the map.
    window.harness.state_mut().view.kept.epochs = 12;
    window.train();
    window.wait_for("train mode");
    window.harness.check_accessibility();
    window.wait_for("recall@1 on 3 files held out");
    assert!(!window.harness.state().session.history.is_empty());
    window.wait_for("Map of 36 samples");
    window.wait_until("a UMAP replaces the provisional map", |app| {
        app.session.contents.layout() == lookalike::library::Layout::Finished && !app.busy()
    });

    // Drop a file that is not in the library.
    let asked = window.at("suspicious.exe");
    std::fs::write(&asked, sample(7, 40)).unwrap();
    window.drop(&[&asked]);
    window.wait_for("Add to library as beta");
    assert!(window.shows("suspicious.exe") && window.shows("Byte pairs") && window.shows("SHA-256"));
    let session = &window.harness.state().session;
    assert_eq!(session.neighbours().len(), 10);
    let nearest = session.contents.get(session.neighbours()[0].sha256).unwrap();
    assert_eq!(nearest.label, Some("beta"));
    assert!(session.queried[0].near.place.is_some(), "it has a place on the map");
    window.harness.run_ok();
    window.harness.check_accessibility();

    // Click the nearest: it is marked on the map.
    let sha256 = window.harness.state().session.neighbours()[0].sha256;
    window.click_part("1: ");
    assert_eq!(window.harness.state().view.marked, Some(Selection::InLibrary(sha256)));

    // The map shows names, unless they are switched off.
    let written = |window: &Window, text: &str| {
        let map = window.harness.get_by_label("Map of 36 samples").rect();
        let shapes = &window.harness.output().shapes;
        shapes.iter().any(|shape| match &shape.shape {
            egui::Shape::Text(found) => found.galley.text() == text && map.contains(found.pos),
            _ => false,
        })
    };
    assert!(["alpha", "beta", "gamma", "suspicious.exe"].iter().all(|name| written(&window, name)));
    window.click("Names");
    window.harness.run_steps(2);
    assert!(written(&window, "suspicious.exe") && !written(&window, "alpha"));
    window.click("Names");

    // Save the table.
    let csv = window.at("out.csv");
    window.click("Export…");
    window.click_part("Export this file's neighbours…");
    window.harness.run_steps(2);
    window.save_as(&csv);
    window.wait_for("Saved ");
    let table = std::fs::read_to_string(&csv).unwrap();
    assert!(
        table.starts_with(
            "\u{feff}query_path,query_sha256,rank,neighbour_path,neighbour_sha256,label,distance"
        )
    );
    assert_eq!(table.lines().count(), 11);
    assert!(table.lines().nth(1).unwrap().contains("suspicious.exe"));
}

#[test]
fn a_library_is_reopened_at_the_next_start_and_a_path_can_be_typed() {
    let mut window = Window::trained();
    let options = Options { library: Some(window.at("library.lookalike")), ..Options::default() };
    window.harness = Harness::builder().with_size(USUAL).build_eframe(|cc| App::new(cc, options));
    window.wait_for("Map of 36 samples");
    let asked = window.at("known/gamma/5.bin");
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::K);
    window.harness.run_steps(2);
    window.harness.get_by_role(egui::accesskit::Role::SearchInput).type_text(asked.to_str().unwrap());
    window.harness.run_steps(2);
    window.harness.key_press(egui::Key::Enter);
    window.harness.run_steps(2);
    window.wait_until("the file is answered", |app| app.session.queried.len() == 1);
    let session = &window.harness.state().session;
    let digest = session.queried[0].sample.sha256;
    // The library has this file: it is its own nearest sample, and the verdict says so.
    assert_eq!(session.neighbours()[0].sha256, digest);
    assert_eq!(session.near().unwrap().verdict, Some(Verdict::Identical { label: Some("gamma".into()) }));
    assert!(window.shows("Identical to 5.bin, gamma in the library"));
}

#[test]
fn a_training_can_be_cancelled() {
    let mut window = Window::open();
    let known = window.at("known");
    corpus(&known);
    window.drop(&[&known]);
    window.wait_for("36 files of 3 labels");
    window.wait_for("added and compared");
    window.wait_until("the map is laid out", |app| !app.busy());
    window.harness.state_mut().view.kept.epochs = 1000;
    window.train();
    window.wait_for("Stop");
    window.click("Stop");
    window.wait_until("the training ends", |app| !app.busy());
    window.harness.step();
    assert!(
        window.shows("cancelled") || window.shows("Cancelled"),
        "{:#?}",
        window.harness.state().session.messages
    );
    assert!(window.shows("Train"));
}

#[test]
fn bad_input_is_reported_and_skipped() {
    let mut window = Window::open();
    let write = |window: &Window, name: &str, bytes: &[u8]| {
        let path = window.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    };
    // A file before there is a library: what is known of it is shown.
    let early = write(&window, "early.exe", b"MZ and more");
    window.drop(&[&early]);
    window.wait_for("The library has no samples to compare with yet");
    window.wait_until("the file is answered", |app| app.session.queried.len() == 1);
    // An empty folder.
    let empty = window.at("empty");
    std::fs::create_dir_all(&empty).unwrap();
    window.drop(&[&empty]);
    window.wait_for("found an empty folder");

    // With a library: an empty file, a missing file and an image among good ones.
    let known = window.at("known");
    corpus(&known);
    window.drop(&[&known]);
    window.wait_for("36 files of 3 labels");
    window.wait_for("added and compared");
    window.harness.state_mut().view.kept.epochs = 6;
    window.train();
    window.wait_for("recall@1 on 3 files held out");
    let one = write(&window, "one/label/a.bin", b"content").parent().unwrap().parent().unwrap().to_owned();
    window.drop(&[&one]);
    window.wait_for("expected at least two labels");
    let (nothing, good) = (write(&window, "nothing.bin", b""), write(&window, "good.bin", &sample(3, 50)));
    let image = write(&window, "image.png", include_bytes!("../../assets/icon-48.png"));
    window.drop(&[&nothing, &good, &image, &window.at("no such file")]);
    window.wait_until("the good file is answered", |app| app.session.queried.len() == 1);
    window.wait_for("3 files were skipped");
    let reasons: Vec<&str> =
        window.harness.state().session.skipped.iter().map(|s| s.reason.as_str()).collect();
    for expected in ["is empty", "could not be listed", "this model was made for"] {
        assert!(reasons.iter().any(|reason| reason.contains(expected)), "{expected}: {reasons:#?}");
    }
    window.harness.get_by_label_contains("Messages (").click();
    window.harness.run_steps(2);
    window.wait_for("skipped:");
    window.harness.check_accessibility();

    // A library of another version, and a file that is not a library: the open one stays open.
    for (name, expected) in [
        ("other.lookalike", "the library has version 99"),
        ("text.lookalike", "expected a Lookalike library"),
    ] {
        let path = window.at(name);
        if name.starts_with("text") {
            std::fs::write(&path, [b'x'; 5000]).unwrap();
        } else {
            std::fs::copy(window.at("library.lookalike"), &path).unwrap();
            rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        }
        window.drop(&[&path]);
        window.wait_for(expected);
        assert_eq!(window.harness.state().session.contents.len(), 36);
    }
    // A CSV file in a folder that does not exist.
    let table = window.at("no/such/folder/out.csv");
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::S);
    window.harness.run_steps(2);
    window.save_as(&table);
    window.wait_for("could not be written");
}

#[test]
fn the_demo_trains_and_queries_held_out_samples() {
    let mut window = Window::open();
    window.harness.state_mut().view.kept.epochs = 4;
    window.click("Try handwritten digits");
    window.wait_until("held-back digits are answered", |app| app.session.queried.len() == 4);
    window.wait_for("Map of 1438 samples");
    assert!(window.shows("The image"));
    window.wait_until("the map is laid out", |app| !app.busy());
    assert!(!window.at("library.lookalike").exists(), "the demo has its own library");
}

#[test]
fn the_facts_of_an_executable_are_shown() {
    let mut window = Window::trained();
    let program = window.at("program");
    std::fs::copy(env!("CARGO_BIN_EXE_lookalike"), &program).unwrap();
    window.harness.state_mut().view.kept.sections.pictures = false;
    window.drop(&[&program]);
    // The hint is visible without opening anything.
    window.wait_for("Facts: ");
    assert!(window.shows("Rust"));
    window.click_part("Facts: ");
    window.wait_for("SHA-1");
    assert!(window.shows("MD5"));
    window.click_part("Header: ");
    window.wait_for("Entry point");
    assert!(window.shows(".text") && window.shows("Overlay") && window.shows("Signature"));
    window.click_part("Libraries: ");
    window.wait_for("libc.so");
    assert!(window.shows("Imports: ") && window.shows("Exports"));
    window.harness.check_accessibility();
}

#[test]
fn a_label_can_be_changed_and_undone() {
    let mut window = Window::trained();
    let contents = &window.harness.state().session.contents;
    let sha256 = contents.iter().find(|entry| entry.label == Some("alpha")).unwrap().sha256;
    window.harness.state_mut().session.selection = Some(Selection::InLibrary(sha256));
    window.harness.run_steps(2);
    window.click("Label…");
    window.wait_for("A label for this sample");
    window.harness.check_accessibility();
    window.type_into_question("delta");
    window.harness.run_steps(2);
    window.click_button("Label");
    window.wait_for("now has the label delta");
    window.wait_until("it is shown", |app| app.session.contents.labels().counts().len() == 4);
    let of = |window: &Window| {
        let contents = &window.harness.state().session.contents;
        contents.get(sha256).unwrap().label.map(str::to_owned)
    };
    assert_eq!(of(&window).as_deref(), Some("delta"));
    let path = window.harness.state().session.library_path.clone();
    let kept = lookalike::library::Library::open(&path).unwrap().contents().unwrap();
    assert_eq!(kept.get(sha256).unwrap().label, Some("delta"));

    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    window.wait_until("it is taken back", |app| app.session.contents.labels().counts().len() == 3);
    assert_eq!(of(&window).as_deref(), Some("alpha"));
}

#[test]
fn an_encrypted_archive_asks_for_its_password() {
    common::needs("zip");
    let mut window = Window::trained();
    let (file, archive) = (window.at("odd.bin"), window.at("odd.zip"));
    std::fs::write(&file, sample(7, 45)).unwrap();
    let zip = |more: &[&str]| {
        let done =
            std::process::Command::new("zip").args(["-q", "-j"]).args(more).args([&archive, &file]).output();
        assert!(done.unwrap().status.success());
    };
    // One of the usual passwords is tried without asking.
    zip(&["-P", "infected"]);
    window.drop(&[&archive]);
    window.wait_for("odd.zip!odd.bin");
    assert!(window.shows("beta"));

    std::fs::remove_file(&archive).unwrap();
    zip(&["-P", "hunter2"]);
    window.harness.state_mut().session.queried.clear();
    window.drop(&[&archive]);
    window.wait_for("is encrypted");
    window.click("File");
    window.click("Password…");
    window.wait_for("A password for encrypted archives");
    window.harness.check_accessibility();
    window.harness.get_by_role(egui::accesskit::Role::PasswordInput).type_text("hunter2");
    window.harness.run_steps(2);
    window.click("Try");
    window.wait_until("the file is answered", |window| window.session.queried.len() == 1);
    assert!(window.harness.state().view.question.is_none());
    assert!(!format!("{:?}", window.harness.state().session.reader.passwords).contains("hunter2"));
}

#[test]
fn an_archive_behind_a_program_is_opened_with_the_check_box_on() {
    common::needs("zip");
    let mut window = Window::trained();
    let (file, archive, setup) = (window.at("odd.bin"), window.at("odd.zip"), window.at("setup"));
    std::fs::write(&file, sample(7, 45)).unwrap();
    let packed = std::process::Command::new("zip").args(["-q", "-j"]).args([&archive, &file]).output();
    assert!(packed.unwrap().status.success());
    let both = [std::fs::read("/bin/true").unwrap(), std::fs::read(&archive).unwrap()].concat();
    std::fs::write(&setup, both).unwrap();
    let paths = |app: &App| -> Vec<String> {
        let queried = app.session.queried.iter();
        let mut names: Vec<String> = queried
            .map(|queried| queried.sample.path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };

    // The program alone; its hint names what is behind it.
    window.drop(&[&setup]);
    window.wait_until("the program is answered", |app| app.session.queried.len() == 1);
    window.wait_for("zip archive appended");
    assert!(!window.shows("setup!odd.bin"));

    window.harness.state_mut().session.queried.clear();
    window.click("File");
    window.click("Unpack appended");
    window.harness.key_press(egui::Key::Escape);
    window.harness.run_steps(2);
    window.drop(&[&setup]);
    window.wait_for("setup!odd.bin");
    assert_eq!(paths(window.harness.state()), ["setup", "setup!odd.bin"]);
    assert!(window.shows("beta"));
}

#[test]
fn nothing_overlaps_in_the_smallest_window() {
    let size = egui::vec2(880.0, 560.0);
    let mut window = Window::trained_sized(size);
    window.wait_for("Map of 36 samples");
    let contents = &window.harness.state().session.contents;
    let first = contents.iter().find(|entry| entry.label == Some("beta")).unwrap().sha256;
    window.select(first);
    let rect = |window: &Window, label: &str| window.harness.get_by_label(label).rect();
    let (file, rail) = (rect(&window, "Copy SHA-256"), {
        let all = window.harness.get_all_by_label("Files and labels panel");
        all.map(|found| found.rect()).min_by(|a, b| a.left().total_cmp(&b.left())).unwrap()
    });
    for label in ["Files", "Training", "Batch-norm lab", "Map of 36 samples"] {
        let found = rect(&window, label);
        assert!(found.right() < file.left() && found.left() > rail.right(), "{label}: {found}");
    }
    assert!(rect(&window, "Export…").right() <= size.x);
    assert!(rect(&window, "Map of 36 samples").width() > 200.0);
    // Five neighbours are in view.
    let fifth = window.harness.get_by_label_contains("5: ").rect();
    assert!(fifth.bottom() < size.y - 28.0, "{fifth}");

    window.click("Training");
    window.harness.run_steps(4);
    let boxes: Vec<egui::Rect> =
        window.harness.query_all_by_role(egui::accesskit::Role::ComboBox).map(|found| found.rect()).collect();
    assert!(boxes.len() == 2 && boxes.iter().all(|found| found.right() <= file.left()), "{boxes:?}");

    // The labels open over the map, and Escape closes them.
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::B);
    window.harness.run_steps(4);
    assert!(window.shows("alpha: 12"));
    window.harness.key_press(egui::Key::Escape);
    window.harness.run_steps(4);
    assert!(!window.shows("alpha: 12"));
}

#[test]
fn keys_behind_an_open_dialog_do_nothing_and_escape_closes_it() {
    let mut window = Window::open();
    let press = |window: &mut Window, modifiers, key| {
        window.harness.key_press_modifiers(modifiers, key);
        window.harness.run_steps(3);
    };
    press(&mut window, egui::Modifiers::NONE, egui::Key::F1);
    assert!(window.shows("Keyboard shortcuts"));
    // Each command with a key is listed, with the key as the system writes it.
    for (key, command) in Command::keys() {
        let about = command.about();
        let key = window.harness.ctx.format_shortcut(&key.keys);
        assert!(
            window.shows(about.text.trim_end_matches('…'))
                && window.shows(&key.replace("Questionmark", "?").replace("Comma", ",")),
            "{about:?}"
        );
    }
    window.harness.check_accessibility();
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::Num2);
    assert_eq!(window.harness.state().view.kept.tab, Tab::Map);
    press(&mut window, egui::Modifiers::NONE, egui::Key::Escape);
    assert_eq!(window.harness.state().view.dialog, None);
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::Num3);
    assert_eq!(window.harness.state().view.kept.tab, Tab::Training);
    // A command that is not available says why.
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::Z);
    assert!(window.shows("Nothing was changed in this window"));
}
