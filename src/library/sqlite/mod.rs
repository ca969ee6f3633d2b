//! The engine for one machine: a library in one SQLite file.

mod add;
mod blocks;
mod copy_of;
mod edit;
mod edits;
mod enqueue;
mod facts;
mod label_change;
mod label_history;
mod large;
mod maintenance;
mod models;
mod nearest;
mod queue;
mod read_contents;
mod removal;
mod row;
mod schema;
mod segments;
mod store;
mod stored_samples;
mod tables;
mod version;
mod watch;
mod whole;

pub use copy_of::CopyOf;
pub use row::parse_row;
pub use store::SqliteLibrary;
pub use watch::FileWatch;
