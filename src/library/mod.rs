//! The library: the catalogue of samples, their labels, and their embeddings by model, in one
//! SQLite file.
//!
//! It also holds the model, so a query needs nothing but the library. A sample is identified by the SHA-256
//! of its content: adding the same file twice changes nothing. Every change is one transaction. Embeddings
//! belong to the hash of the model that made them.

mod contents;
mod error;
mod label_change;
mod label_history;
mod label_table;
mod maintenance;
mod record;
mod row;
mod schema;
mod store;
mod version;

pub use contents::{Contents, Neighbour, Rows};
pub use error::LibraryError;
pub use label_change::LabelChange;
pub use label_table::{LabelCount, Labels};
pub use record::{Entry, Record};
pub use row::parse_row;
pub use store::{Added, Batch, Library};
