//! The planes of a decoded image: three channels, fitted into a square.
//!
//! The picture is what a viewer would show: rotated by its EXIF orientation, on white where it is transparent, the
//! first frame of an animation. Its proportions are kept; black fills the rest of the square.

use super::box_scaler::fitted;
use super::image_decode::decode;
use super::image_error::ImageError;
use image::{RgbImage, imageops};

/// Red, green, blue.
pub const CHANNELS: usize = 3;

/// One image as `side · side` RGB pixels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePlanes {
    pub(super) side: usize,
    pub(super) rgb: Box<[u8]>,
}

impl ImagePlanes {
    /// Planes from `side × side` RGB pixels, row by row; `None` if `rgb` has another length.
    pub fn from_rgb(side: usize, rgb: Vec<u8>) -> Option<Self> {
        (rgb.len() == side * side * CHANNELS).then(|| Self { side, rgb: rgb.into_boxed_slice() })
    }

    /// Decodes `bytes` and fits the image into `side × side`.
    pub fn decode(bytes: &[u8], side: usize) -> Result<Self, ImageError> {
        Ok(Self::of(&decode(bytes, side)?, side))
    }

    fn of(image: &RgbImage, side: usize) -> Self {
        let (sw, sh) = fitted(image.dimensions(), side);
        let small = imageops::resize(image, sw, sh, imageops::FilterType::Triangle);
        let mut square = RgbImage::new(side as u32, side as u32);
        let at = |n: u32| i64::from((side as u32 - n) / 2);
        imageops::replace(&mut square, &small, at(sw), at(sh));
        Self { side, rgb: square.into_raw().into_boxed_slice() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgba, RgbaImage};
    use std::io::Cursor;

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
