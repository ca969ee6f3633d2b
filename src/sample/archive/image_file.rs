//! A file in an image of a disk, as the readers of ISO 9660 and UDF find it.

use super::error::ArchiveError;
use super::extents::Part;

/// A file in an image.
pub struct ImageFile {
    /// Its path in the image.
    pub name: Vec<u8>,
    /// Where its content is.
    pub parts: Vec<Part>,
    /// Why it cannot be read.
    pub problem: Option<ArchiveError>,
}
