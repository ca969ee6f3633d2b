//! Tests of the command line, and of what it uses, without a window. They are one binary, so that the
//! program's dependencies are linked once and not once for each file.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test prints, and may fail at once")]

#[path = "../common/mod.rs"]
mod common;

mod archives;
mod checkpoint;
mod command_line;
mod images;
mod library;
mod mutations;
#[cfg(target_os = "linux")]
mod traps;
#[cfg(target_os = "linux")]
mod workers;
