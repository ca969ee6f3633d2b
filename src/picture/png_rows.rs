//! Decodes a PNG row by row, so that one of any size is scaled in little memory.

use super::box_scaler::{BoxScaler, over_white, reduced};
use super::image_error::ImageError;
use super::spec::PictureSpec;
use image::error::{LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use std::io::Cursor;

/// The most pixels of an image that is read row by row, which bounds the time.
const MAX_PIXELS: u64 = 1 << 30;
/// The most memory of the decoder in bytes.
const MAX_MEMORY: usize = 64 << 20;

/// Decodes a PNG that is not interlaced and scales it down for pictures of `spec`. Of a damaged one, the rows before the damage
/// are shown.
pub fn decode_rows(bytes: &[u8], spec: PictureSpec) -> Result<RgbImage, ImageError> {
    let damaged = |error: png::DecodingError| ImageError::Damaged(error.to_string());
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MAX_MEMORY });
    decoder.ignore_checksums(true);
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (info, (colour, _)) = (reader.info(), reader.output_color_type());
    let size = info.size();
    if info.interlaced || u64::from(size.0) * u64::from(size.1) > MAX_PIXELS {
        return Err(image::ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)).into());
    }
    let exif = info.exif_metadata.as_ref();
    let orientation =
        exif.and_then(|exif| Orientation::from_exif_chunk(exif)).unwrap_or(Orientation::NoTransforms);
    let mut scaler = BoxScaler::new(size, reduced(size, spec));
    let mut y = 0;
    loop {
        let row = match reader.next_row() {
            Ok(Some(row)) => row,
            Err(error) if y == 0 => return Err(damaged(error)),
            Ok(None) | Err(_) => break,
        };
        let row = row.data();
        match colour {
            png::ColorType::Grayscale => scaler.add_row(y, row.iter().map(|grey| [*grey; 3])),
            png::ColorType::GrayscaleAlpha => {
                scaler.add_row(y, row.as_chunks().0.iter().map(|[grey, a]| over_white([*grey; 3], *a)));
            }
            png::ColorType::Rgba => {
                scaler.add_row(y, row.as_chunks().0.iter().map(|[r, g, b, a]| over_white([*r, *g, *b], *a)));
            }
            png::ColorType::Rgb | png::ColorType::Indexed => {
                scaler.add_row(y, row.as_chunks().0.iter().copied());
            }
        }
        y += 1;
    }
    let mut image = DynamicImage::from(scaler.finish());
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}
