//! Segments: the equal parts of a file whose byte pairs and text grams are counted separately, so that the
//! histogram of any run of segments can be computed later without the file.

/// Segments of a file.
pub const SEGMENTS: usize = 8;

/// The offset at which segment `segment` of a file of `size` bytes ends.
pub fn segment_end(segment: usize, size: u64) -> u64 {
    ((segment as u128 + 1) * u128::from(size) / SEGMENTS as u128) as u64
}
