//! Images: those that are decoded are recognised by the structure of their headers, and the others are named.
//!
//! The first bytes of many formats are short and occur in other files too, so that each reader follows the header up to
//! the size of the image.

mod bmp;
mod gif;
mod head;
mod ico;
mod jpeg;
mod notes;
mod png;
mod recognise;
mod svg;
mod tiff;
mod undecoded;
mod webp;

pub(crate) use ico::largest_icon;
pub use notes::{notes, with_article};
pub(crate) use png::with_right_checksums;
pub use recognise::{format, format_of_file};
pub(crate) use tiff::with_indices_as_grey;
pub use undecoded::undecoded;
