//! The dropped files as a table.

pub mod files_ui;
pub mod sort;
