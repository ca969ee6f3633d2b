//! The search: samples by name, label or hash, labels, recent paths, and commands, in one field.

pub mod found;
pub mod search_ui;
