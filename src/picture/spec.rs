//! The picture specification: which kind of picture a model reads, at which size and value range. It is part of
//! the model's configuration, since a model only reads pictures of its own specification.

use super::byte_planes;
use crate::sample::FileKind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Red, green, blue.
pub(super) const IMAGE_CHANNELS: usize = 3;

/// How a picture is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureKind {
    /// Planes computed from the bytes of any file.
    Bytes,
    /// A decoded image.
    Image,
}

impl PictureKind {
    /// The kind of picture for a file of this kind.
    pub(crate) fn for_file(kind: FileKind) -> Self {
        if kind.is_image() { Self::Image } else { Self::Bytes }
    }

    /// Planes of one picture.
    pub fn channels(self) -> usize {
        match self {
            Self::Bytes => byte_planes::PLANES,
            Self::Image => IMAGE_CHANNELS,
        }
    }
}

impl fmt::Display for PictureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "executables and other binary files",
            Self::Image => "images (PNG, JPEG, GIF, BMP, WebP, TIFF, ICO)",
        })
    }
}

/// The range to which the values of a picture are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Range {
    /// -1 to 1: centred on 0, which suits a first layer.
    #[default]
    Signed,
    /// 0 to 1, as most tutorials use. For images only.
    Unit,
    /// (byte − 127) / 128, as the networks of TensorFlow's lite builder are trained. For images only.
    Lite,
}

/// How an image is put into a square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Its proportions are kept; black fills the rest of the square. White is behind what is transparent.
    #[default]
    Letterbox,
    /// It is stretched. White is behind what is transparent, or grey if what is to be seen is white itself.
    Stretch,
}

/// What of a file the network is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Planes {
    /// All planes.
    #[default]
    All,
    /// Only the byte pairs, without those that text and zeros are made of: what the views of text and header cannot see.
    /// A file has the same ones whether its text is there or was overwritten with zeros.
    Code,
}

/// How pictures are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureSpec {
    /// From bytes or from a decoded image.
    pub kind: PictureKind,
    /// Width and height of each plane: 64 for bytes; 8 to 64 for images.
    pub side: usize,
    /// The range of the values.
    #[serde(default)]
    pub range: Range,
    /// What of a file is shown. For bytes only.
    #[serde(default)]
    pub planes: Planes,
    /// How an image is put into the square.
    #[serde(default)]
    pub fit: Fit,
}

impl PictureSpec {
    /// A picture of the bytes of any file.
    pub const BYTES: Self = Self {
        kind: PictureKind::Bytes,
        side: 64,
        range: Range::Signed,
        planes: Planes::All,
        fit: Fit::Letterbox,
    };

    /// The code in the bytes of any file.
    pub const CODE: Self = Self { planes: Planes::Code, ..Self::BYTES };

    /// A picture of an image, `side × side`.
    pub const fn image(side: usize) -> Self {
        Self {
            kind: PictureKind::Image,
            side,
            range: Range::Signed,
            planes: Planes::All,
            fit: Fit::Letterbox,
        }
    }

    /// A picture of an image for the base model for images.
    pub const BASE_IMAGE: Self = Self { range: Range::Lite, fit: Fit::Stretch, ..Self::image(160) };

    /// Whether pictures of this specification are also pictures of `other`: they have its planes, and values are decided when
    /// the network's input is filled.
    pub fn same_pictures(self, other: Self) -> bool {
        // Pictures for the code alone lack the other planes.
        let all = self.planes == Planes::All || other.planes == Planes::Code;
        (self.kind, self.side, self.fit) == (other.kind, other.side, other.fit) && all
    }

    /// Values of one picture: `side · side · channels`.
    pub fn len(self) -> usize {
        self.side * self.side * self.kind.channels()
    }

    /// Whether a picture has no values, which only a damaged specification says.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}
