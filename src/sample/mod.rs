//! Samples: files that are read, identified by their content and hashed, and never run.
//!
//! A file is opened once (`OpenSample`), identified from its first bytes, and read in one streaming pass that
//! hashes it and hands every chunk to the caller. Memory does not grow with the file.

mod architecture;
pub mod archive;
mod bytes;
mod clutter;
mod code_page;
mod digests;
mod entropy;
mod error;
pub mod facts;
mod formats;
mod hints;
mod identify;
mod inspect;
mod kept_facts;
mod kind;
mod labelling;
mod open;
mod packed_program;
mod passwords;
mod read_at;
mod record;
mod sha256;
mod skipped;
mod sparse_bytes;
mod traits;
pub mod unpack;
mod walk;

pub use architecture::Architecture;
pub use bytes::Bytes;
pub(crate) use clutter::is_clutter_folder;
pub(crate) use digests::DigestBuilder;
pub use digests::{Digests, hex};
pub(crate) use error::SampleError;
pub use facts::Facts;
pub(crate) use formats::images;
pub use inspect::content_of;
pub(crate) use inspect::{Packing, inspect_bytes, inspect_open, read_headers, unpack_program};
pub use kept_facts::{KeepFacts, KeptFacts, MAX_KEPT_FACTS};
pub use kind::FileKind;
pub use labelling::{Labelling, is_split};
pub(crate) use open::{OpenSample, open_file};
pub use passwords::Passwords;
pub use record::Sample;
pub use sha256::Sha256;
pub use skipped::{Cause, Skipped};
pub use sparse_bytes::SparseBytes;
pub use traits::{TraitKind, TraitSet};
pub use walk::{Found, Listing, walk};
