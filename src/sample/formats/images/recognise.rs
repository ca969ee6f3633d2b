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

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat as Format, RgbaImage};

    fn encoded(format: Format, side: u32) -> Vec<u8> {
        let image =
            RgbaImage::from_fn(side, side, |x, y| image::Rgba([x as u8, y as u8, (x * y) as u8, 255]));
        let mut out = std::io::Cursor::new(Vec::new());
        let image = DynamicImage::from(image);
        let image = if format == Format::Jpeg { image.into_rgb8().into() } else { image };
        image.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    const ALL: [(Format, FileKind); 7] = [
        (Format::Png, FileKind::Png),
        (Format::Jpeg, FileKind::Jpeg),
        (Format::Gif, FileKind::Gif),
        (Format::Bmp, FileKind::Bmp),
        (Format::WebP, FileKind::WebP),
        (Format::Tiff, FileKind::Tiff),
        (Format::Ico, FileKind::Ico),
    ];

    #[test]
    fn the_structure_of_the_header_decides() {
        for (encoder, known) in ALL {
            let whole = encoded(encoder, 40);
            assert_eq!(format(&whole), Some(known));
            // The first bytes alone, and with something else after them, are no image.
            for len in [2, 3, 4, 6, 8] {
                let begin = &whole[..len];
                let noise: Vec<u8> =
                    (0..3000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
                for rest in [&b""[..], b"MZ\x90\0", b"W dealers list\n", &noise, &[0xff; 100], &[0; 100]] {
                    assert_eq!(format(&[begin, rest].concat()), None, "{known:?} {len}");
                }
            }
        }
    }

    #[test]
    fn the_directory_of_a_tiff_is_found_anywhere() {
        let whole = encoded(Format::Tiff, 200);
        let head = &whole[..HEAD];
        let far = tiff::far_directory(head).unwrap();
        assert!(far.offset > HEAD as u64);
        let mut read_at =
            |offset: u64, len: usize| whole.iter().skip(offset as usize).take(len).copied().collect();
        assert_eq!(format_of_file(head, &mut read_at), Some(FileKind::Tiff));
        assert_eq!(format_of_file(&whole, &mut |_, _| Vec::new()), Some(FileKind::Tiff));
        assert_eq!(format_of_file(head, &mut |_, len| vec![0; len]), None);
        assert_eq!(format_of_file(head, &mut |_, _| Vec::new()), None);
    }

    /// Application data of a JPEG may be longer than what is looked at.
    #[test]
    fn a_jpeg_with_much_application_data_is_one() {
        let whole = encoded(Format::Jpeg, 8);
        let mut long = whole[..2].to_vec();
        for _ in 0..3 {
            long.extend([0xff, 0xe2, 0xff, 0xff]);
            long.extend(vec![0; 0xfffd]);
        }
        long.extend(&whole[2..]);
        assert_eq!((format(&long), format(&long[..HEAD])), (Some(FileKind::Jpeg), Some(FileKind::Jpeg)));
        assert_eq!(format(&long[..HEAD - 1]), None, "a whole file that ends within a segment");
    }
}
