//! The engine for one machine: a library in one SQLite file.

mod add;
mod blocks;
mod edit;
mod edits;
#[cfg(test)]
mod excerpt_tests;
mod facts;
mod label_change;
mod label_history;
mod large;
mod maintenance;
mod models;
mod removal;
mod row;
mod schema;
mod store;
mod tables;
mod version;

pub use row::parse_row;
pub use store::SqliteLibrary;
