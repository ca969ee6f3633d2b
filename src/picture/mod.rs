//! Pictures: the network's input, a stack of `side × side` planes of fixed size computed from one sample.
//!
//! An image is decoded and resized to three channels. Any other file becomes planes of its bytes, which a person
//! can also look at: how often each pair of bytes occurs, which text it contains, and the layout planes over the
//! file offset (mean byte, share of zeros, share of printable text, entropy).

mod box_scaler;
mod byte_pairs;
mod byte_planes;
mod cells;
mod choose;
mod code_pairs;
mod compact;
mod counts;
mod crop;
mod encode;
mod encoded;
mod image_decode;
mod image_error;
mod image_planes;
mod lanczos;
mod large_cells;
mod layout;
mod levels;
mod plane_set;
mod png_rows;
mod render;
mod segments;
mod small_cells;
mod spec;
#[cfg(test)]
pub(crate) mod test_images;
mod text_grams;
mod tiff_samples;
mod wire;

pub use byte_planes::BytePlanes;
pub(crate) use byte_planes::TEXT_PLANE;
pub(crate) use cells::cell_range;
pub use choose::longer_side;
pub(crate) use choose::{choose, choose_native};
pub use code_pairs::code_pairs;
pub use crop::{View, fill};
pub use encode::PictureSet;
pub(crate) use encode::{
    Also, EncodeError, encode_and_inspect, encode_and_inspect_bytes, encode_bytes, encode_open,
};
pub use encoded::Encoded;
pub use image_planes::ImagePlanes;
pub(crate) use plane_set::PLANE_SET;
pub(crate) use render::{Rendered, THUMBNAIL, thumbnail};
pub use spec::{PictureKind, PictureSpec, Planes, Range};
pub use text_grams::text_of;
