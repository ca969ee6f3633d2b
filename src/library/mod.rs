//! The library: the catalogue of samples, their labels, and their embeddings by model.
//!
//! It also holds the model, so a query needs nothing but the library. A sample is identified by the SHA-256
//! of its content: adding the same file twice changes nothing. Every change is one transaction. Embeddings
//! belong to the hash of the model that made them. What a user's command changes of labels and samples is an edit, which
//! can be undone and redone. An [`Engine`] keeps it: SQLite in a file, or PostgreSQL for a team.

mod add_samples;
mod among;
mod block;
mod compare_all;
mod contents;
mod copy_engine;
mod edits;
mod engine;
#[cfg(test)]
pub(crate) mod engine_tests;
mod error;
mod excerpt;
mod fit;
mod from_copy;
mod handle;
mod kept_copy;
mod kept_traits;
mod label_history;
mod label_table;
mod location;
mod maintenance;
mod missing;
mod models;
mod neighbour;
mod partly_read;
mod places;
mod postgres;
mod prepare;
mod queue;
mod receive;
mod record;
mod remove_samples;
mod row;
mod rows;
mod search;
mod send;
mod server_url;
mod sqlite;
mod stored_samples;
mod unreachable;
mod watch;
mod whole_sample;
mod whole_samples;

pub use add_samples::{AddSamples, Added, Batch, Import};
pub use among::Among;
pub use contents::Contents;
pub use edits::{Edit, EditKind, Edits, Reverted, Turn, user};
pub use engine::Engine;
pub use error::LibraryError;
pub use excerpt::Excerpt;
pub use fit::Fit;
pub use from_copy::FromCopy;
pub use handle::Library;
pub use kept_copy::{KeptCopy, QueueState};
pub use kept_traits::{Counted, KeptTraits, count_in};
pub use label_history::{LabelChange, LabelHistory, Relabelled, Renamed};
pub use label_table::{LabelCount, Labels};
pub use location::Location;
pub use maintenance::Maintenance;
pub use missing::Missing;
pub use models::{Adopt, Adopted, Models, StoredModel, model_name};
pub use neighbour::Neighbour;
pub use partly_read::PartlyRead;
pub use places::Layout;
pub use prepare::{Prepare, Prepared};
pub use queue::Waiting;
pub use record::{Entry, Record};
pub use remove_samples::RemoveSamples;
pub use rows::Rows;
pub use search::{Nearest, Search};
pub use send::{Sent, send};
pub use server_url::{ServerUrl, UrlError};
pub use sqlite::parse_row;
pub use stored_samples::StoredSamples;
pub use watch::Watch;
pub use whole_sample::{GivenLabel, WholeLook, WholeSample};
pub use whole_samples::{Wanted, WholeSamples};
