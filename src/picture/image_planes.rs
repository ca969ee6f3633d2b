//! The planes of a decoded image: three channels, fitted into a square.
//!
//! The picture is what a viewer would show: rotated by its EXIF orientation, on white where it is transparent, the
//! first frame of an animation. How it is put into the square, the specification says ([`Fit`]).

use super::box_scaler::fitted;
use super::image_decode::decode;
use super::image_error::ImageError;
use super::lanczos::lanczos;
use super::spec::{Fit, IMAGE_CHANNELS as CHANNELS, PictureSpec};
use crate::view::{FileViews, HASHED, ImageHash, Views};
use image::{Rgb, RgbImage, imageops};

/// One image as `side · side` RGB pixels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePlanes {
    pub(super) side: usize,
    pub(super) rgb: Box<[u8]>,
    /// What the views of a model see of the image, if it was read for a model that has some.
    pub(super) views: Option<Box<FileViews>>,
}

impl ImagePlanes {
    /// Planes from `side × side` RGB pixels, row by row; `None` if `rgb` has another length.
    pub fn from_rgb(side: usize, rgb: Vec<u8>) -> Option<Self> {
        (rgb.len() == side * side * CHANNELS).then(|| Self { side, rgb: rgb.into_boxed_slice(), views: None })
    }

    /// Decodes `bytes` and puts the image into the square of `spec`, with what `views` see of it.
    pub fn decode(bytes: &[u8], spec: PictureSpec, views: Option<&Views>) -> Result<Self, ImageError> {
        let image = decode(bytes, spec)?;
        let mut planes = match spec.fit {
            Fit::Letterbox => Self::letterboxed(&image, spec.side),
            Fit::Stretch => Self::stretched(&image, spec.side),
        };
        if views.is_some_and(Views::see_images) {
            let hash = planes.shows_something().then(|| ImageHash::of(&grey(&image)));
            planes.views = Some(Box::new(FileViews { hash, ..FileViews::default() }));
        }
        Ok(planes)
    }

    fn letterboxed(image: &RgbImage, side: usize) -> Self {
        let (sw, sh) = fitted(image.dimensions(), side);
        let small = imageops::resize(image, sw, sh, imageops::FilterType::Triangle);
        let mut square = RgbImage::new(side as u32, side as u32);
        let at = |n: u32| i64::from((side as u32 - n) / 2);
        imageops::replace(&mut square, &small, at(sw), at(sh));
        Self { side, rgb: square.into_raw().into_boxed_slice(), views: None }
    }

    fn stretched(image: &RgbImage, side: usize) -> Self {
        let square = imageops::resize(image, side as u32, side as u32, imageops::FilterType::Triangle);
        Self { side, rgb: square.into_raw().into_boxed_slice(), views: None }
    }

    /// Whether there is anything to see: not only one colour.
    fn shows_something(&self) -> bool {
        /// Levels that are lost when an image is compressed.
        const NOISE: u8 = 4;
        (0..CHANNELS).any(|channel| {
            let levels = || self.rgb.iter().skip(channel).step_by(CHANNELS).copied();
            levels().max().unwrap_or(0) - levels().min().unwrap_or(0) > NOISE
        })
    }
}

/// The image in levels of grey as [`ImageHash`] needs it.
fn grey(image: &RgbImage) -> Vec<u8> {
    let level = |pixel: &Rgb<u8>| {
        let [r, g, b] = pixel.0.map(u32::from);
        // The luma of ITU-R BT.601, rounded as Pillow does.
        ((r * 19_595 + g * 38_470 + b * 7_471 + 0x8000) >> 16) as u8
    };
    let grey: Vec<u8> = image.pixels().map(level).collect();
    lanczos(&grey, (image.width() as usize, image.height() as usize), HASHED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::test_images::{pattern, reference};
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
        let planes = ImagePlanes::decode(&png(&wide.into()), PictureSpec::image(32), None).unwrap();
        assert_eq!(pixel(&planes, 16, 16), [200, 0, 0]);
        assert_eq!(pixel(&planes, 16, 2), [0, 0, 0]);
        let clear = RgbaImage::from_pixel(9, 9, Rgba([0, 0, 0, 0]));
        let planes = ImagePlanes::decode(&png(&clear.into()), PictureSpec::image(32), None).unwrap();
        assert_eq!(pixel(&planes, 5, 5), [255, 255, 255]);
    }

    #[test]
    fn sixteen_bit_and_grey_images_decode() {
        let deep = ImageBuffer::<Luma<u16>, _>::from_pixel(8, 8, Luma([0x8000]));
        let planes = ImagePlanes::decode(&png(&deep.into()), PictureSpec::image(32), None).unwrap();
        assert_eq!(pixel(&planes, 3, 3), [128, 128, 128]);
    }

    /// A bit may differ that is at the median but for rounding.
    #[test]
    fn hashes_are_those_of_the_python_package_imagehash() {
        for row in reference()["hashes"].as_array().unwrap() {
            let number = |name: &str| row[name].as_u64().unwrap();
            let (width, height) = (number("width") as u32, number("height") as u32);
            let rgb = pattern(number("pattern"), width as usize, height as usize);
            let file = png(&RgbImage::from_raw(width, height, rgb).unwrap().into());
            let views = Views::of_images();
            let planes = ImagePlanes::decode(&file, PictureSpec::BASE_IMAGE, Some(&views)).unwrap();
            let ours = planes.views.unwrap().hash.unwrap().0;
            let theirs: Vec<u8> = (0..64)
                .step_by(2)
                .map(|at| u8::from_str_radix(&row["hash"].as_str().unwrap()[at..at + 2], 16).unwrap())
                .collect();
            let differ: u32 = ours.iter().zip(&theirs).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert!(differ <= 1, "{row}: {differ} of 256 bits");
        }
    }

    #[test]
    fn an_image_of_one_colour_shows_nothing_and_has_no_hash_without_views() {
        let hash = |image: RgbImage, views: Option<&Views>| {
            let planes = ImagePlanes::decode(&png(&image.into()), PictureSpec::BASE_IMAGE, views).unwrap();
            planes.views.map(|views| views.hash)
        };
        let views = Views::of_images();
        let red = || RgbImage::from_pixel(50, 20, Rgb([200, 0, 0]));
        assert_eq!(hash(red(), Some(&views)), Some(None));
        let mut dotted = red();
        dotted.put_pixel(7, 7, Rgb([0, 0, 0]));
        assert!(hash(dotted, Some(&views)).unwrap().is_some());
        assert_eq!(hash(red(), None), None);
    }

    #[test]
    fn stretched_images_fill_the_square_and_white_symbols_are_on_grey() {
        let spec = PictureSpec { side: 32, ..PictureSpec::BASE_IMAGE };
        let planes = |image: RgbaImage| ImagePlanes::decode(&png(&image.into()), spec, None).unwrap();
        let wide = planes(RgbaImage::from_pixel(40, 20, Rgba([200, 0, 0, 255])));
        assert_eq!(pixel(&wide, 16, 1), [200, 0, 0]);
        let symbol = |level: u8| {
            let clear = RgbaImage::from_pixel(32, 32, Rgba([0, 0, 0, 0]));
            planes(RgbaImage::from_fn(32, 32, |x, y| {
                if x < 9 { Rgba([level, level, level, 255]) } else { *clear.get_pixel(x, y) }
            }))
        };
        assert_eq!((pixel(&symbol(250), 3, 3), pixel(&symbol(250), 20, 3)), ([250; 3], [127; 3]));
        assert_eq!((pixel(&symbol(90), 3, 3), pixel(&symbol(90), 20, 3)), ([90; 3], [255; 3]));
    }

    #[test]
    fn damaged_images_are_errors() {
        let whole = png(&RgbImage::new(64, 64).into());
        for bytes in [&whole[..whole.len() / 2], &whole[..8], b"not an image"] {
            assert!(ImagePlanes::decode(bytes, PictureSpec::image(32), None).is_err());
        }
        let mut huge = whole;
        huge[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(ImagePlanes::decode(&huge, PictureSpec::image(32), None).is_err());
    }
}
