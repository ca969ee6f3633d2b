//! Decodes the TIFF images whose samples are not yet colours: a palette, grey of few bits, grey with opacity, and the
//! colour space of JPEG.

use super::box_scaler::{BoxScaler, over_white, reduced};
use super::image_error::{ImageError, MAX_MEMORY};
use super::spec::PictureSpec;
use crate::sample::images;
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use std::io::Cursor;
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

/// The samples of an image, and what they mean.
struct Samples {
    size: (u32, u32),
    colour: ColorType,
    /// Red, green and blue of each index, 0 to 65,535.
    palette: Option<Vec<u16>>,
    values: DecodingResult,
}

/// Decodes an image and scales it down for pictures of `spec` if it is wider or higher than `large`.
pub fn decode_samples(bytes: &[u8], spec: PictureSpec, large: u32) -> Result<RgbImage, ImageError> {
    let damaged = |error: tiff::TiffError| ImageError::Damaged(error.to_string());
    let grey = images::with_indices_as_grey(bytes);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_MEMORY as usize;
    limits.intermediate_buffer_size = MAX_MEMORY as usize;
    let reader = Cursor::new(grey.as_deref().unwrap_or(bytes));
    let mut decoder = Decoder::new(reader).map_err(damaged)?.with_limits(limits);
    let size = decoder.dimensions().map_err(damaged)?;
    let colour = decoder.colortype().map_err(damaged)?;
    let palette = match grey {
        Some(_) => Some(decoder.get_tag_u16_vec(Tag::ColorMap).map_err(damaged)?),
        None => None,
    };
    let orientation =
        decoder.find_tag_unsigned(Tag::Orientation).ok().flatten().and_then(Orientation::from_exif);
    let values = decoder.read_image().map_err(damaged)?;
    let samples = Samples { size, colour, palette, values };
    let scaled = if size.0.max(size.1) > large { reduced(size, spec) } else { size };
    let mut scaler = BoxScaler::new(size, scaled);
    for y in 0..size.1 {
        let row = (0..size.0).map_while(|x| samples.pixel(x, y));
        scaler.add_row(y as usize, row);
    }
    if samples.pixel(0, 0).is_none() {
        return Err(ImageError::PixelFormat(format!("{colour:?}")));
    }
    let mut image = DynamicImage::from(scaler.finish());
    image.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    Ok(image.into_rgb8())
}

impl Samples {
    /// The colour of a pixel; `None` if it is not there or of a kind that is not known.
    fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        let at = |n: usize, i: usize| (y as usize * self.size.0 as usize + x as usize) * n + i;
        match (self.colour, &self.values) {
            (ColorType::Gray(bits @ (1 | 2 | 4 | 8)), DecodingResult::U8(values)) => {
                let value = packed(values, self.size.0 as usize, bits, (x as usize, y as usize))?;
                match &self.palette {
                    Some(palette) => {
                        let colours = palette.len() / 3;
                        let channel =
                            |i: usize| palette.get(i * colours + usize::from(value)).map(|c| (c >> 8) as u8);
                        Some([channel(0)?, channel(1)?, channel(2)?])
                    }
                    None => Some([(u32::from(value) * 255 / ((1 << bits) - 1)) as u8; 3]),
                }
            }
            (ColorType::Multiband { bit_depth: 8, num_samples: 2 }, DecodingResult::U8(values)) => {
                Some(over_white([*values.get(at(2, 0))?; 3], *values.get(at(2, 1))?))
            }
            (ColorType::Multiband { bit_depth: 16, num_samples: 2 }, DecodingResult::U16(values)) => {
                let [grey, opacity] =
                    [values.get(at(2, 0))?, values.get(at(2, 1))?].map(|value| (value >> 8) as u8);
                Some(over_white([grey; 3], opacity))
            }
            (ColorType::YCbCr(8), DecodingResult::U8(values)) => {
                Some(rgb([*values.get(at(3, 0))?, *values.get(at(3, 1))?, *values.get(at(3, 2))?]))
            }
            _ => None,
        }
    }
}

/// A value of `bits` bits in rows that begin at whole bytes.
fn packed(values: &[u8], width: usize, bits: u8, (x, y): (usize, usize)) -> Option<u8> {
    let bits = usize::from(bits);
    let bit = x * bits;
    let byte = *values.get(y * (width * bits).div_ceil(8) + bit / 8)?;
    Some((byte << (bit % 8)) >> (8 - bits))
}

/// From the colour space of JPEG (JFIF) to red, green and blue.
fn rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
        .map(|c| c.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_few_bits_begin_at_the_highest() {
        let values = [0b1101_0010, 0b1000_0000, 0b0111_1111, 0];
        assert_eq!(packed(&values, 5, 2, (0, 0)), Some(3));
        assert_eq!(packed(&values, 5, 2, (3, 0)), Some(2));
        assert_eq!(packed(&values, 5, 2, (4, 0)), Some(2));
        assert_eq!(packed(&values, 5, 2, (0, 1)), Some(1));
        assert_eq!((packed(&values, 8, 8, (3, 0)), packed(&values, 8, 8, (4, 0))), (Some(0), None));
    }

    #[test]
    fn grey_has_no_colour() {
        assert_eq!((rgb([77, 128, 128]), rgb([76, 85, 255])), ([77; 3], [254, 0, 0]));
    }
}
