//! Pictures: what the network sees of a file, a small fixed-size stack of planes.
//!
//! An image is decoded and resized to three channels. Anything else becomes planes that a person
//! can look at too: how often each pair of bytes occurs, which text, and the file in reading order (mean byte,
//! share of zeros, share of printable text, entropy). Both are `side × side` planes, so that one
//! network serves both. Pictures are kept as bytes ([`Encoded`]) and become `f32` a batch at a
//! time.

mod byte_pairs;
mod byte_planes;
mod choose;
mod compact;
mod counts;
mod crop;
mod encode;
mod image_planes;
mod large_cells;
mod layout;
mod levels;
mod render;
mod small_cells;
mod text_grams;
mod wire;

pub use byte_planes::{BytePlanes, SEGMENTS, TEXT_PLANE};
pub use choose::{choose, choose_native, longer_side};
pub use crop::{View, fill};
pub use encode::{EncodeError, PictureSet, encode_bytes, encode_open};
use levels::Levels;

pub use image_planes::{ImageError, ImagePlanes};
pub use layout::{CELLS, cell_range};
pub use render::{Rendered, THUMBNAIL, thumbnail};

use crate::sample::FileKind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of the two ways of making pictures a model was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureKind {
    /// Planes computed from the bytes of any file.
    Bytes,
    /// A decoded image.
    Image,
}

impl PictureKind {
    /// The kind of picture that fits a file of this kind.
    pub fn for_file(kind: FileKind) -> Self {
        if kind.is_image() { Self::Image } else { Self::Bytes }
    }

    /// Planes in one picture.
    pub fn channels(self) -> usize {
        match self {
            Self::Bytes => byte_planes::PLANES,
            Self::Image => image_planes::CHANNELS,
        }
    }
}

impl fmt::Display for PictureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "executables and other binary files",
            Self::Image => "images (PNG, JPEG, GIF, BMP, WebP)",
        })
    }
}

/// What a byte of a picture becomes for the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Range {
    /// -1 to 1: as many below 0 as above, which suits a first layer.
    #[default]
    Signed,
    /// 0 to 1: what most tutorials do. Of images alone.
    Unit,
}

/// Version of the planes. It must be raised whenever the value of any plane of any file changes: models and
/// stored embeddings of another plane set no longer match new pictures, and model files name theirs.
pub const PLANE_SET: u32 = 1;

/// How pictures are made: part of a model, since a model only understands its own pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureSpec {
    /// From bytes or from a decoded image.
    pub kind: PictureKind,
    /// Width and height of each plane: 64 for bytes; 8 to 64 for images.
    pub side: usize,
    /// What a byte becomes.
    #[serde(default)]
    pub range: Range,
}

impl PictureSpec {
    /// The picture of any file's bytes.
    pub const BYTES: Self = Self { kind: PictureKind::Bytes, side: 64, range: Range::Signed };

    /// The picture of an image, `side × side`.
    pub const fn image(side: usize) -> Self {
        Self { kind: PictureKind::Image, side, range: Range::Signed }
    }

    /// Values in one picture: `side · side · channels`.
    pub fn len(self) -> usize {
        self.side * self.side * self.kind.channels()
    }

    /// Never true; present because `len` is.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// One picture, kept as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encoded {
    /// From a file's bytes: 20 to 80 KiB.
    Bytes(BytePlanes),
    /// From a decoded image: `3 · side²` bytes.
    Image(ImagePlanes),
}
