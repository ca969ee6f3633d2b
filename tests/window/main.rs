//! Tests of the window: driven without a screen (`app`) and on an X server (`real_window`).
#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

#[path = "../common/mod.rs"]
mod common;

mod app;
mod first_drop;
mod keeping;
mod lab;
mod late_results;
mod looks;
#[cfg(target_os = "linux")]
#[path = "../common/postgres.rs"]
mod postgres_server;
mod reach;
#[cfg(target_os = "linux")]
mod real_window;
#[cfg(target_os = "linux")]
mod team;
#[cfg(target_os = "linux")]
mod xdnd;
