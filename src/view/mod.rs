//! Views: how a file is compared with others, beside its picture. Each view abstains (`None`) if the file gives it nothing
//! to go by.
//!
//! Text and header are compared as documents are in text retrieval: by their terms, weighted by how rare each is among
//! families of software (inverse document frequency). Images are compared by a perceptual hash.

mod header;
mod idf;
mod image_hash;
mod pairs;
mod terms;
mod text;
mod text_bins;
mod views;

pub use header::{HEADER_BINS, HEADER_TERMS, HeaderView};
pub use idf::{Idf, IdfCounts};
pub use image_hash::{HASH_BYTES, HASHED, ImageHash};
pub use pairs::{PAIR_BINS, PAIR_NUMBERS, PairAxes, Pairs};
pub use terms::Terms;
pub use text::{TEXT_TERMS, TextView, fill_bins};
pub use text_bins::{FACTOR, TEXT_BINS, TextBins, TextCounts, gram_hash, text_bin};
pub use views::{FileViews, OnProgram, Packed, Views, Visible};
