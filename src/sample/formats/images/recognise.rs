//! The format of an image, from the structure of its header.

use super::head::HEAD;
use super::tiff::{self, FarDirectory};
use super::{bmp, gif, ico, jpeg, png, webp};
use crate::sample::bytes::Bytes;
use crate::sample::kind::FileKind;
use crate::sample::read_at::ReadAt;

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

/// The same for a file of which `read_at` reads other parts: the directory of a TIFF can be anywhere.
pub fn format_of_file(head: &[u8], read_at: ReadAt<'_>) -> Option<FileKind> {
    let found = format(head)?;
    match tiff::far_directory(head).filter(|_| found == FileKind::Tiff) {
        Some(far) => {
            let kept = usize::try_from(far.offset).ok().and_then(|offset| head.get(offset..));
            let valid = kept.is_some_and(|kept| far.is_valid(kept))
                || far.is_valid(&read_at(far.offset, FarDirectory::LEN));
            valid.then_some(found)
        }
        None => Some(found),
    }
}
