//! Tests of the command line, and of what it uses, without a window. They are one binary, so that the
//! program's dependencies are linked once and not once for each file.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test prints, and may fail at once")]

#[path = "../common/mod.rs"]
mod common;

mod archives;
mod checkpoint;
mod command_line;
mod facts;
mod field;
mod first_drop;
mod first_images;
mod folders;
mod home;
mod images;
mod inspect;
mod keeping;
mod large_library;
mod library;
mod mutations;
#[cfg(target_os = "linux")]
mod offline;
#[cfg(target_os = "linux")]
mod offline_faults;
#[cfg(target_os = "linux")]
#[path = "../common/postgres.rs"]
mod postgres_server;
#[cfg(target_os = "linux")]
#[path = "../common/proxy.rs"]
mod proxy;
#[cfg(target_os = "linux")]
mod team;
#[cfg(target_os = "linux")]
mod team_shards;
#[cfg(target_os = "linux")]
mod team_tls;
#[cfg(target_os = "linux")]
mod traps;
#[cfg(target_os = "linux")]
mod workers;

/// `cargo test` alone builds no tests of the window, so that the command line can be tested without building
/// one. This test says so in the list of results.
#[cfg(not(feature = "window-tests"))]
#[test]
#[ignore = "the tests of the window need --features window-tests; tests/run runs them"]
fn tests_of_the_window() {
    panic!("run tests/run, or cargo test --features window-tests");
}
