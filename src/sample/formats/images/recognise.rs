//! The format of an image, from the structure of its header.

use super::head::HEAD;
use super::{bmp, gif, ico, jpeg, png, tiff, webp};
use crate::sample::bytes::Bytes;
use crate::sample::kind::FileKind;

/// The format of an image with these first bytes; `None` if they are no image that is decoded. 64 KiB are looked at;
/// fewer are taken for the whole file, so that a structure that leads outside of them is none.
pub fn format(head: &[u8]) -> Option<FileKind> {
    let head = head.get(..HEAD).unwrap_or(head);
    let bytes = Bytes::new(head, head.len() as u64);
    match () {
        () if png::is_png(bytes) => Some(FileKind::Png),
        () if jpeg::is_jpeg(bytes) => Some(FileKind::Jpeg),
        () if gif::is_gif(bytes) => Some(FileKind::Gif),
        () if bmp::is_bmp(bytes) => Some(FileKind::Bmp),
        () if webp::is_webp(bytes) => Some(FileKind::WebP),
        () if tiff::is_tiff(bytes) => Some(FileKind::Tiff),
        () if ico::is_ico(bytes) => Some(FileKind::Ico),
        () => None,
    }
}
