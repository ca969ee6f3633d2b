//! The library: the catalogue of samples, their labels, and their embeddings by model, in one
//! SQLite file.
//!
//! It also holds the model, so a query needs nothing but the library. A sample is identified by the SHA-256
//! of its content: adding the same file twice changes nothing. Every change is one transaction. Embeddings
//! belong to the hash of the model that made them. What a user's command changes of labels and samples is an edit, which
//! can be undone and redone.

mod add;
mod blocks;
mod contents;
mod edit;
mod edits;
mod error;
mod excerpt;
#[cfg(test)]
mod excerpt_tests;
mod facts;
#[cfg(test)]
mod fixture;
mod label_change;
mod label_history;
mod label_table;
mod large;
mod maintenance;
mod models;
mod record;
mod removal;
mod row;
mod schema;
mod store;
mod tables;
mod version;

pub use add::{Added, Batch, Import};
pub use contents::{Contents, Fit, Layout, Neighbour, Rows};
pub use edit::{Edit, EditKind};
pub use edits::Reverted;
pub use error::LibraryError;
pub use facts::Counted;
pub use label_change::LabelChange;
pub use label_history::{Relabelled, Renamed};
pub use label_table::{LabelCount, Labels};
pub use large::LargeLibrary;
pub use models::{Adopt, Adopted, StoredModel};
pub use record::{Entry, Record};
pub use row::parse_row;
pub use store::Library;
