//! Decodes images, within limits on memory.
//!
//! An image that is much larger than a picture is scaled while its pixels are read, so that its memory is that of the
//! decoder alone, and a PNG that is larger still is decoded row by row.

use super::box_scaler::{BoxScaler, over, over_white, reduced};
use super::image_error::{ImageError, MAX_MEMORY};
use super::png_rows::decode_rows;
use super::spec::{Fit, PictureSpec};
use super::tiff_samples::decode_samples;
use crate::sample::{FileKind, images};
use image::error::{LimitError, LimitErrorKind};
use image::{
    ColorType, DynamicImage, GrayImage, ImageBuffer, ImageDecoder, ImageReader, Limits, RgbImage, Rgba,
    RgbaImage,
};
use std::io::{Cursor, ErrorKind};

/// Width and height in pixels above which an image is scaled while its pixels are read.
const LARGE_SIDE: u32 = 16_384;
/// Width and height from the header, without decoding.
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    match images::format(bytes)? {
        FileKind::Ico => images::largest_icon(bytes).map(|icon| icon.size),
        kind => reader(bytes, kind).ok()?.into_dimensions().ok(),
    }
}

/// Decodes an image. A large one is already scaled down for pictures of `spec`.
pub fn decode(bytes: &[u8], spec: PictureSpec) -> Result<RgbImage, ImageError> {
    let Some(kind) = images::format(bytes) else {
        return Err(ImageError::Damaged("its header is not that of an image".to_owned()));
    };
    match kind {
        FileKind::Ico => decode_icon(bytes, spec),
        FileKind::Png => decode_png(bytes, spec),
        kind => decode_as(bytes, kind, spec),
    }
}

/// Decodes a PNG. Wrong checksums are ignored, as viewers do.
fn decode_png(bytes: &[u8], spec: PictureSpec) -> Result<RgbImage, ImageError> {
    match decode_as(bytes, FileKind::Png, spec) {
        Ok(image) => Ok(image),
        Err(error) => match images::with_right_checksums(bytes) {
            Some(bytes) => decode_as(&bytes, FileKind::Png, spec),
            None => Err(error),
        },
    }
}

/// Decodes the largest image of an icon.
fn decode_icon(bytes: &[u8], spec: PictureSpec) -> Result<RgbImage, ImageError> {
    let Some(icon) = images::largest_icon(bytes) else {
        return Err(ImageError::Damaged("no image of the icon is inside of the file".to_owned()));
    };
    if icon.is_png {
        return decode_png(icon.bytes, spec);
    }
    // The decoder chooses among the images by what the directory says of them, and compares its sizes with theirs.
    let size = |n: u32| u8::try_from(n).unwrap_or(0);
    let mut single = vec![0, 0, 1, 0, 1, 0, size(icon.size.0), size(icon.size.1), 0, 0, 1, 0, 32, 0];
    single.extend(u32::try_from(icon.bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    single.extend(22_u32.to_le_bytes());
    single.extend(icon.bytes);
    decode_as(&single, FileKind::Ico, spec)
}

fn reader(bytes: &[u8], kind: FileKind) -> Result<ImageReader<Cursor<&[u8]>>, ImageError> {
    let format = match kind {
        FileKind::Png => image::ImageFormat::Png,
        FileKind::Jpeg => image::ImageFormat::Jpeg,
        FileKind::Gif => image::ImageFormat::Gif,
        FileKind::Bmp => image::ImageFormat::Bmp,
        FileKind::WebP => image::ImageFormat::WebP,
        FileKind::Tiff => image::ImageFormat::Tiff,
        FileKind::Ico => image::ImageFormat::Ico,
        FileKind::Pe | FileKind::Elf | FileKind::MachO | FileKind::MachOFat | FileKind::Other => {
            return Err(ImageError::Damaged("its header is not that of an image".to_owned()));
        }
    };
    Ok(ImageReader::with_format(Cursor::new(bytes), format))
}

fn decode_as(bytes: &[u8], kind: FileKind, spec: PictureSpec) -> Result<RgbImage, ImageError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = reader(bytes, kind)?;
    reader.limits(limits);
    let mut decoder = match reader.into_decoder() {
        // One row may be larger than the limit of the decoder, too.
        Err(image::ImageError::Limits(_)) if kind == FileKind::Png => return decode_rows(bytes, spec),
        Err(image::ImageError::Unsupported(_)) if kind == FileKind::Tiff => {
            return decode_samples(bytes, spec, LARGE_SIDE);
        }
        decoder => decoder?,
    };
    if decoder.total_bytes() > MAX_MEMORY && kind == FileKind::Png {
        return decode_rows(bytes, spec);
    }
    let orientation = decoder.orientation()?;
    let (width, height) = decoder.dimensions();
    let pixels = read_pixels(decoder)?;
    let mut image =
        if width.max(height) > LARGE_SIDE { pixels.scaled(spec)?.into() } else { pixels.into_image()? };
    image.apply_orientation(orientation);
    Ok(match (image.color().has_alpha(), spec.fit) {
        (false, _) => image.into_rgb8(),
        (true, Fit::Letterbox) => on(&image.to_rgba8(), WHITE),
        (true, Fit::Stretch) => {
            let image = image.to_rgba8();
            let behind = behind(&image);
            on(&image, behind)
        }
    })
}

/// The pixels of an image as its decoder returns them.
struct Pixels {
    size: (u32, u32),
    colour: ColorType,
    bytes: Vec<u8>,
}

/// Reads all pixels. Of a truncated image it returns those that are there, on black, as viewers do; if there are
/// none, it fails.
fn read_pixels(decoder: impl ImageDecoder) -> Result<Pixels, ImageError> {
    let (size, colour) = (decoder.dimensions(), decoder.color_type());
    let len = usize::try_from(decoder.total_bytes()).ok().filter(|len| *len as u64 <= MAX_MEMORY);
    let too_large = || image::ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory));
    let mut bytes = vec![0; len.ok_or_else(too_large)?];
    match decoder.read_image(&mut bytes) {
        Err(error) if !(ended_early(&error) && bytes.iter().any(|byte| *byte != 0)) => {
            return Err(error.into());
        }
        Ok(()) | Err(_) => {}
    }
    Ok(Pixels { size, colour, bytes })
}

impl Pixels {
    fn into_image(self) -> Result<DynamicImage, ImageError> {
        let Self { size: (width, height), colour, bytes } = self;
        let deep =
            |bytes: Vec<u8>| bytes.as_chunks().0.iter().map(|pair| u16::from_ne_bytes(*pair)).collect();
        let float =
            |bytes: Vec<u8>| bytes.as_chunks().0.iter().map(|four| f32::from_ne_bytes(*four)).collect();
        let image = match colour {
            ColorType::L8 => GrayImage::from_raw(width, height, bytes).map(DynamicImage::from),
            ColorType::La8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8),
            ColorType::Rgb8 => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
            ColorType::Rgba8 => RgbaImage::from_raw(width, height, bytes).map(DynamicImage::from),
            ColorType::L16 => {
                ImageBuffer::from_raw(width, height, deep(bytes)).map(DynamicImage::ImageLuma16)
            }
            ColorType::La16 => {
                ImageBuffer::from_raw(width, height, deep(bytes)).map(DynamicImage::ImageLumaA16)
            }
            ColorType::Rgb16 => {
                ImageBuffer::from_raw(width, height, deep(bytes)).map(DynamicImage::ImageRgb16)
            }
            ColorType::Rgba16 => {
                ImageBuffer::from_raw(width, height, deep(bytes)).map(DynamicImage::ImageRgba16)
            }
            ColorType::Rgb32F => {
                ImageBuffer::from_raw(width, height, float(bytes)).map(DynamicImage::ImageRgb32F)
            }
            ColorType::Rgba32F => {
                ImageBuffer::from_raw(width, height, float(bytes)).map(DynamicImage::ImageRgba32F)
            }
            _ => None,
        };
        image.ok_or_else(|| ImageError::PixelFormat(format!("{colour:?}")))
    }

    /// Scales the image down for pictures of `spec` without a copy of it.
    fn scaled(self, spec: PictureSpec) -> Result<RgbImage, ImageError> {
        let (samples, width) = (usize::from(self.colour.channel_count()), self.size.0 as usize);
        let sample = usize::from(self.colour.bytes_per_pixel()) / samples;
        let value = |bytes: &[u8]| match *bytes {
            [byte] => byte,
            [a, b] => (u16::from_ne_bytes([a, b]) >> 8) as u8,
            [a, b, c, d] => (f32::from_ne_bytes([a, b, c, d]).clamp(0.0, 1.0) * 255.0).round() as u8,
            _ => 0,
        };
        let rgb = |pixel: &[u8]| {
            let mut values = pixel.chunks_exact(sample).map(value);
            let mut next = || values.next().unwrap_or(255);
            match samples {
                1 | 2 => {
                    let grey = next();
                    over_white([grey; 3], next())
                }
                _ => {
                    let rgb = [next(), next(), next()];
                    over_white(rgb, next())
                }
            }
        };
        let mut scaler = BoxScaler::new(self.size, reduced(self.size, spec));
        for (y, row) in self.bytes.chunks_exact((width * samples * sample).max(1)).enumerate() {
            scaler.add_row(y, row.chunks_exact(samples * sample).map(rgb));
        }
        Ok(scaler.finish())
    }
}

fn ended_early(error: &image::ImageError) -> bool {
    match error {
        image::ImageError::IoError(io) => io.kind() == ErrorKind::UnexpectedEof,
        // The GIF decoder reports this only in its text.
        other => other.to_string().to_lowercase().contains("unexpected end of file"),
    }
}

/// The levels of white, and of grey.
const WHITE: u8 = 255;
const GREY: u8 = 127;

/// What is put behind a transparent image: white, but grey if what is to be seen is nearly white, as a white symbol is.
fn behind(image: &RgbaImage) -> u8 {
    /// Mean brightness and opacity.
    const NEARLY_WHITE: f64 = 225.0;
    const MOSTLY_OPAQUE: f64 = 200.0;
    let (mut bright, mut opaque) = (0_u64, 0_u64);
    for Rgba([r, g, b, a]) in image.pixels() {
        let [r, g, b, a] = [*r, *g, *b, *a].map(u64::from);
        // Luma of ITU-R BT.601.
        bright += (299 * r + 587 * g + 114 * b) * a;
        opaque += a;
    }
    let pixels = u64::from(image.width()) * u64::from(image.height());
    let brightness = bright as f64 / 1000.0 / opaque.max(1) as f64;
    let opacity = opaque as f64 / pixels.max(1) as f64;
    if brightness > NEARLY_WHITE && opacity < MOSTLY_OPAQUE { GREY } else { WHITE }
}

/// The image on this level of grey.
fn on(image: &RgbaImage, level: u8) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, a] = image.get_pixel(x, y).0;
        image::Rgb(over(level, [r, g, b], a))
    })
}
