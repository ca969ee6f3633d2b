//! The planes of a decoded image: three channels, fitted into a square.
//!
//! The picture is what a viewer would show: rotated by its EXIF orientation, on white where it is transparent, the
//! first frame of an animation. Its proportions are kept; black fills the rest of the square. Width, height and
//! memory are limited before decoding.

use image::error::{LimitError, LimitErrorKind};
use image::{
    ColorType, DynamicImage, GrayImage, ImageBuffer, ImageDecoder, ImageReader, Limits, Rgb, RgbImage,
    RgbaImage, imageops,
};
use std::io::{Cursor, ErrorKind};

/// Red, green, blue.
pub const CHANNELS: usize = 3;
/// The largest image file that is decoded, in bytes.
pub const MAX_FILE: u64 = 256 << 20;
/// The largest width and height in pixels.
const MAX_SIDE: u32 = 16_384;
/// The most memory that a decoder may allocate, in bytes.
const MAX_MEMORY: u64 = 512 << 20;

/// One image as `side · side` RGB pixels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePlanes {
    pub(super) side: usize,
    pub(super) rgb: Box<[u8]>,
}

/// Why an image could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Damaged, truncated, or beyond a limit of the decoder.
    #[error(
        "could not be decoded: {0}. Expected a complete image of at most {MAX_SIDE}×{MAX_SIDE} pixels; check that a viewer opens it"
    )]
    Decode(#[from] image::ImageError),
    /// A pixel format that no supported image format should have.
    #[error("has an unsupported pixel format ({0}). Convert it to PNG or JPEG first")]
    PixelFormat(String),
    /// Larger than [`MAX_FILE`].
    #[error("is an image file of {0} bytes; at most {MAX_FILE} are decoded. Scale it down first")]
    TooLarge(u64),
}

impl ImagePlanes {
    /// Planes from `side × side` RGB pixels, row by row; `None` if `rgb` has another length.
    pub fn from_rgb(side: usize, rgb: Vec<u8>) -> Option<Self> {
        (rgb.len() == side * side * CHANNELS).then(|| Self { side, rgb: rgb.into_boxed_slice() })
    }

    /// Decodes `bytes` and fits the image into `side × side`.
    pub fn decode(bytes: &[u8], side: usize) -> Result<Self, ImageError> {
        Ok(Self::of(&decode(bytes)?, side))
    }

    fn of(image: &RgbImage, side: usize) -> Self {
        let (w, h) = image.dimensions();
        let longest = w.max(h).max(1);
        let scaled = |n: u32| ((n as usize * side).div_ceil(longest as usize)).clamp(1, side) as u32;
        let (sw, sh) = (scaled(w), scaled(h));
        let small = imageops::resize(image, sw, sh, imageops::FilterType::Triangle);
        let mut square = RgbImage::new(side as u32, side as u32);
        let at = |n: u32| i64::from((side as u32 - n) / 2);
        imageops::replace(&mut square, &small, at(sw), at(sh));
        Self { side, rgb: square.into_raw().into_boxed_slice() }
    }
}

/// Width and height from the header, without decoding.
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?.into_dimensions().ok()
}

fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(image::ImageError::IoError)?;
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut image = read_pixels(decoder)?;
    image.apply_orientation(orientation);
    Ok(if image.color().has_alpha() { on_white(&image) } else { image.into_rgb8() })
}

/// Reads all pixels. Of a truncated image it returns those that are there, on black, as viewers do; if there are
/// none, it fails.
fn read_pixels(decoder: impl ImageDecoder) -> Result<DynamicImage, ImageError> {
    let ((width, height), colour) = (decoder.dimensions(), decoder.color_type());
    let size = usize::try_from(decoder.total_bytes()).ok().filter(|size| *size as u64 <= MAX_MEMORY);
    let too_large = || image::ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory));
    let mut bytes = vec![0; size.ok_or_else(too_large)?];
    match decoder.read_image(&mut bytes) {
        Err(error) if !(ended_early(&error) && bytes.iter().any(|byte| *byte != 0)) => {
            return Err(error.into());
        }
        Ok(()) | Err(_) => {}
    }
    let deep = |bytes: Vec<u8>| bytes.as_chunks().0.iter().map(|pair| u16::from_ne_bytes(*pair)).collect();
    let image = match colour {
        ColorType::L8 => GrayImage::from_raw(width, height, bytes).map(DynamicImage::from),
        ColorType::La8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8),
        ColorType::Rgb8 => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
        ColorType::Rgba8 => RgbaImage::from_raw(width, height, bytes).map(DynamicImage::from),
        ColorType::L16 => ImageBuffer::from_raw(width, height, deep(bytes)).map(DynamicImage::ImageLuma16),
        ColorType::La16 => ImageBuffer::from_raw(width, height, deep(bytes)).map(DynamicImage::ImageLumaA16),
        ColorType::Rgb16 => ImageBuffer::from_raw(width, height, deep(bytes)).map(DynamicImage::ImageRgb16),
        ColorType::Rgba16 => ImageBuffer::from_raw(width, height, deep(bytes)).map(DynamicImage::ImageRgba16),
        _ => None,
    };
    image.ok_or_else(|| ImageError::PixelFormat(format!("{colour:?}")))
}

fn ended_early(error: &image::ImageError) -> bool {
    match error {
        image::ImageError::IoError(io) => io.kind() == ErrorKind::UnexpectedEof,
        // The GIF decoder reports this only in its text.
        other => other.to_string().to_lowercase().contains("unexpected end of file"),
    }
}

fn on_white(image: &DynamicImage) -> RgbImage {
    let rgba = image.to_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        let over = |c: u32| ((c * a + 255 * (255 - a) + 127) / 255) as u8;
        Rgb([over(r), over(g), over(b)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Luma, Rgba, RgbaImage};

    fn png(image: &DynamicImage) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    fn pixel(planes: &ImagePlanes, x: usize, y: usize) -> [u8; 3] {
        let at = (y * planes.side + x) * 3;
        planes.rgb[at..at + 3].try_into().unwrap()
    }

    #[test]
    fn proportions_are_kept_and_transparency_is_white() {
        let wide = RgbaImage::from_pixel(40, 20, Rgba([200, 0, 0, 255]));
        let planes = ImagePlanes::decode(&png(&wide.into()), 32).unwrap();
        assert_eq!(pixel(&planes, 16, 16), [200, 0, 0]);
        assert_eq!(pixel(&planes, 16, 2), [0, 0, 0]);
        let clear = RgbaImage::from_pixel(9, 9, Rgba([0, 0, 0, 0]));
        let planes = ImagePlanes::decode(&png(&clear.into()), 32).unwrap();
        assert_eq!(pixel(&planes, 5, 5), [255, 255, 255]);
    }

    #[test]
    fn sixteen_bit_and_grey_images_decode() {
        let deep = ImageBuffer::<Luma<u16>, _>::from_pixel(8, 8, Luma([0x8000]));
        let planes = ImagePlanes::decode(&png(&deep.into()), 32).unwrap();
        assert_eq!(pixel(&planes, 3, 3), [128, 128, 128]);
    }

    #[test]
    fn damaged_images_are_errors() {
        let whole = png(&RgbImage::new(64, 64).into());
        for bytes in [&whole[..whole.len() / 2], &whole[..8], b"not an image"] {
            assert!(ImagePlanes::decode(bytes, 32).is_err());
        }
        let mut huge = whole;
        huge[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(ImagePlanes::decode(&huge, 32).is_err());
    }
}
