//! The picture of one sample, stored as bytes.

use super::byte_planes::BytePlanes;
use super::image_planes::ImagePlanes;
use crate::view::FileViews;

/// One picture. It becomes `f32` only when a batch is filled ([`fill`](super::fill)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encoded {
    /// Planes of a file's bytes: 20 to 80 KiB.
    Bytes(BytePlanes),
    /// Planes of a decoded image: `3 · side²` bytes.
    Image(ImagePlanes),
}

impl Encoded {
    /// What the views of a model see of the file, if it was read for such a model.
    pub fn views(&self) -> Option<&FileViews> {
        match self {
            Self::Bytes(planes) => planes.views.as_deref(),
            Self::Image(planes) => planes.views.as_deref(),
        }
    }
}
