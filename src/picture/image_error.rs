//! The limits of decoding images, and why an image could not be decoded.

/// The largest image file that is decoded, in bytes.
pub const MAX_FILE: u64 = 256 << 20;
/// The most memory that a decoder may allocate, in bytes.
pub const MAX_MEMORY: u64 = MAX_MIB << 20;
const MAX_MIB: u64 = 512;

/// Why an image could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Damaged, truncated, or beyond a limit of the decoder.
    #[error(
        "could not be decoded: {0}. Expected a complete image of at most {MAX_MIB} MiB of pixels; check that a viewer opens it"
    )]
    Decode(#[from] image::ImageError),
    /// Damaged.
    #[error("could not be decoded: {0}. Expected a complete image; check that a viewer opens it")]
    Damaged(String),
    /// A pixel format that no supported image format should have.
    #[error("has an unsupported pixel format ({0}). Convert it to PNG or JPEG first")]
    PixelFormat(String),
    /// Larger than [`MAX_FILE`].
    #[error("is an image file of {0} bytes; at most {MAX_FILE} are decoded. Scale it down first")]
    TooLarge(u64),
}
