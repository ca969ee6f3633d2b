//! The format of an image, from the structure of its header.

use super::{bmp, gif, ico, jpeg, png, tiff, webp};
use crate::sample::bytes::Bytes;

/// Bytes that are looked at.
pub const HEAD: usize = 64 << 10;

/// A format of images that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the name of the format")]
pub enum ImageFormat {
    Png,
    Jpeg,
    Gif,
    Bmp,
    WebP,
    Tiff,
    Ico,
}

/// The format of an image with these first bytes; `None` if they are no image that is decoded. 64 KiB are looked at;
/// fewer are taken for the whole file, so that a structure that leads outside of them is none.
pub fn format(head: &[u8]) -> Option<ImageFormat> {
    let head = head.get(..HEAD).unwrap_or(head);
    let bytes = Bytes::new(head, head.len() as u64);
    match () {
        () if png::is_png(bytes) => Some(ImageFormat::Png),
        () if jpeg::is_jpeg(bytes) => Some(ImageFormat::Jpeg),
        () if gif::is_gif(bytes) => Some(ImageFormat::Gif),
        () if bmp::is_bmp(bytes) => Some(ImageFormat::Bmp),
        () if webp::is_webp(bytes) => Some(ImageFormat::WebP),
        () if tiff::is_tiff(bytes) => Some(ImageFormat::Tiff),
        () if ico::is_ico(bytes) => Some(ImageFormat::Ico),
        () => None,
    }
}

/// Whether `bytes` end where the head of a larger file is cut, so that what follows is not known.
pub fn is_cut(bytes: Bytes<'_>) -> bool {
    bytes.kept().len() >= HEAD
}
