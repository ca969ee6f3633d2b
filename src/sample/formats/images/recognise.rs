//! The format of an image, from the structure of its header.

use super::tiff::{self, FarDirectory};
use super::{bmp, gif, ico, jpeg, png, webp};
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

/// Reads at most so many bytes of a file at an offset.
pub type ReadAt<'a> = &'a mut dyn FnMut(u64, usize) -> Vec<u8>;

/// The same for a file of which `read_at` reads other parts: the directory of a TIFF can be anywhere.
pub fn format_of_file(head: &[u8], read_at: ReadAt<'_>) -> Option<ImageFormat> {
    let found = format(head)?;
    match tiff::far_directory(head).filter(|_| found == ImageFormat::Tiff) {
        Some(far) => {
            let kept = usize::try_from(far.offset).ok().and_then(|offset| head.get(offset..));
            let valid = kept.is_some_and(|kept| far.is_valid(kept))
                || far.is_valid(&read_at(far.offset, FarDirectory::LEN));
            valid.then_some(found)
        }
        None => Some(found),
    }
}

/// Whether `bytes` end where the head of a larger file is cut, so that what follows is not known.
pub fn is_cut(bytes: Bytes<'_>) -> bool {
    bytes.kept().len() >= HEAD
}
