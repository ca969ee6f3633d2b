//! The program in a folder of its own.

use crate::common::{Usage, corpus, watch};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Runs the program in the folder of the tests.
pub fn lookalike(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lookalike")).args(arguments).output().unwrap()
}

/// A folder in which the program runs. Each file of tests adds what it needs there.
pub struct Home {
    folder: TempDir,
}

/// The result of running the program.
pub struct Run {
    pub well: bool,
    pub code: Option<i32>,
    /// What it printed, on stdout and stderr.
    pub text: String,
    pub usage: Usage,
}

impl Home {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With the labelled folder `known` of three families, 36 files.
    pub fn with_known() -> Self {
        let home = Self::empty();
        corpus(&home.at("known"));
        home
    }

    /// The same with the model `m.safetensors` and the library `l.lookalike` of these files.
    pub fn with_library(epochs: &str) -> Self {
        let home = Self::with_known();
        home.run(&["train", "known", "--model", "m.safetensors", "--epochs", epochs]);
        home.run(&["index", "known", "--model", "m.safetensors", "--library", "l.lookalike"]);
        home
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Runs a shell script in the folder, to make files.
    pub fn shell(&self, script: &str) {
        let done = Command::new("sh").current_dir(self.path()).args(["-ec", script]).output().unwrap();
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// The program with these arguments, run by the user ada.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lookalike"));
        command.current_dir(self.path()).args(arguments).env("USER", "ada").stdin(Stdio::null());
        command.env("XDG_DATA_HOME", self.at("data"));
        command
    }

    /// Runs the program and measures what it uses.
    pub fn try_run(&self, arguments: &[&str]) -> Run {
        let out = tempfile::NamedTempFile::new().unwrap();
        let file = out.reopen().unwrap();
        let mut command = self.command(arguments);
        let mut child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        let (status, usage) = watch(&mut child);
        let text = String::from_utf8_lossy(&std::fs::read(out.path()).unwrap()).into_owned();
        Run { well: status.success(), code: status.code(), text, usage }
    }

    /// Runs the program, which must succeed, and returns what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let run = self.try_run(arguments);
        assert!(run.well, "{arguments:?}: {}", run.text);
        run.text
    }

    /// The objects that `inspect --json` prints.
    pub fn inspected(&self, arguments: &[&str]) -> Vec<Value> {
        let run = self.try_run(&[&["inspect", "--json"], arguments].concat());
        run.text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}
