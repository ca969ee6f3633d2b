//! The real binary in a real window, on an X server without a screen (Xvfb): what it shows changes when a file
//! is opened.

use crate::common::{self, corpus, sample};
use crate::xdnd::Source;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Only guards against hanging.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long an input is given to show its effect before it is repeated.
const REPEAT: Duration = Duration::from_secs(20);
const BINARY: &str = env!("CARGO_BIN_EXE_lookalike");

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An X server that keeps its screen in a file.
struct Screen {
    _server: Running,
    display: String,
    file: PathBuf,
}

/// The pixels of a screen, `0x00RRGGBB`, row by row.
struct Screenshot {
    width: usize,
    pixels: Vec<u32>,
}

impl Screen {
    fn start(folder: &Path) -> Self {
        common::needs("Xvfb");
        let read_end = folder.join("display");
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-fbdir"])
            .arg(folder)
            .stdout(std::fs::File::create(&read_end).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Running(server);
        let number = wait("Xvfb to start", || {
            let text = std::fs::read_to_string(&read_end).unwrap();
            text.ends_with('\n').then(|| text.trim().to_owned())
        });
        Self { _server: server, display: format!(":{number}"), file: folder.join("Xvfb_screen0") }
    }

    /// Reads the screen (X11's XWD file format, version 7, 32 bits a pixel).
    fn screenshot(&self) -> Screenshot {
        let bytes = std::fs::read(&self.file).unwrap();
        let word = |i: usize| u32::from_be_bytes(bytes[i * 4..i * 4 + 4].try_into().unwrap()) as usize;
        let (header, width, height, per_line, colours) = (word(0), word(4), word(5), word(12), word(19));
        let start = header + colours * 12;
        let pixels = (0..height)
            .flat_map(|y| bytes[start + y * per_line..][..width * 4].as_chunks::<4>().0)
            .map(|pixel| u32::from_le_bytes(*pixel) & 0x00ff_ffff)
            .collect();
        Screenshot { width, pixels }
    }

    /// Sends input. What comes of it has to be checked: a window that is not ready loses it.
    fn send(&self, arguments: &[&str]) {
        // It fails while there is no window to give the focus to.
        let _ = Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).output().unwrap();
    }
}

impl Screenshot {
    /// Share of the pixels from column `left` on that differ from `other`'s.
    fn changed(&self, other: &Self, left: usize) -> f64 {
        let columns = |screenshot: &Self| {
            let rows = screenshot.pixels.chunks_exact(screenshot.width);
            rows.flat_map(|row| row[left..].to_vec()).collect::<Vec<u32>>()
        };
        let (ours, theirs) = (columns(self), columns(other));
        ours.iter().zip(&theirs).filter(|(a, b)| a != b).count() as f64 / ours.len() as f64
    }

    /// How many colours there are.
    fn colours(&self) -> usize {
        self.pixels.iter().collect::<std::collections::HashSet<_>>().len()
    }
}

/// Looks until something is found, and gives up after `time`.
fn wait_for<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let found = look();
        if found.is_some() || begun.elapsed() > time {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn wait<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_for(PATIENCE, look).unwrap_or_else(|| panic!("waited in vain for {what}"))
}

fn lookalike(arguments: &[&str]) {
    let output = Command::new(BINARY).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The program with a library of the three families on a screen of its own, and the screen once the library is shown.
fn with_library(home: &Path) -> (Screen, Running, Screenshot) {
    common::needs("xdotool");
    common::needs_software_vulkan();
    common::needs_x11_libraries();
    let at = |name: &str| home.join(name).to_str().unwrap().to_owned();
    corpus(&home.join("known"));
    let library = at("l.lookalike");
    lookalike(&["index", &at("known"), "--library", &library]);
    let screen = Screen::start(home);
    let program = Running(
        Command::new(BINARY)
            .args(["--library", &library])
            .env("DISPLAY", &screen.display)
            .env_remove("WAYLAND_DISPLAY")
            .env("HOME", home)
            .env("XDG_DATA_HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .spawn()
            .unwrap(),
    );
    // The symbols of the labels bring colours that an empty window does not have.
    let before = wait("the library to be shown", || {
        let seen = screen.screenshot();
        (seen.colours() > 40).then_some(seen)
    });
    (screen, program, before)
}

#[test]
fn files_dropped_by_another_client_are_answered() {
    let home = tempfile::tempdir().unwrap();
    let (screen, mut program, before) = with_library(home.path());
    let asked = home.path().join("asked ä.bin");
    std::fs::write(&asked, sample(7, 40)).unwrap();
    let source = Source::new(&screen.display, &[&asked]);
    wait("the window to take the drop", || source.drop_on("Lookalike").then_some(()));
    let file_panel = 900;
    wait("the answer", || (screen.screenshot().changed(&before, file_panel) > 0.1).then_some(()));
    assert!(program.0.try_wait().unwrap().is_none(), "the program still runs");
}

#[test]
fn opening_a_file_changes_the_window() {
    let home = tempfile::tempdir().unwrap();
    let (screen, mut program, before) = with_library(home.path());
    let asked = home.path().join("asked.bin").to_str().unwrap().to_owned();
    std::fs::write(&asked, sample(7, 40)).unwrap();
    let file_panel = 900;
    let shown = || (screen.screenshot().changed(&before, file_panel) > 0.1).then_some(());
    // An input may come before the window has the keyboard or while it is busy: it is repeated until it has
    // its effect.
    let begun = Instant::now();
    loop {
        // There is no window manager that would focus the window.
        screen.send(&["search", "--onlyvisible", "--name", "^Lookalike$", "windowfocus"]);
        // The search, which an earlier attempt may have left open.
        screen.send(&["key", "Escape"]);
        screen.send(&["key", "ctrl+k"]);
        screen.send(&["type", "--delay", "20", &asked]);
        screen.send(&["key", "Return"]);
        if wait_for(REPEAT, shown).is_some() {
            break;
        }
        assert!(program.0.try_wait().unwrap().is_none(), "the program ended");
        assert!(begun.elapsed() < PATIENCE, "the typed path had no effect");
    }
    assert!(program.0.try_wait().unwrap().is_none(), "the program still runs");
}

#[test]
fn without_a_display_one_line_says_what_to_do() {
    let output = Command::new(BINARY)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.lines().count() == 1 && said.contains("DISPLAY"), "{said}");
}
