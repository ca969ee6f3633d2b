//! Images decode to the picture that a viewer shows. The files in tests/images were written with Pillow: 24 × 16
//! pixels, the left half red with a white strip at the top, the right half blue. bad_crc.png and bad_adler.png have a
//! wrong checksum, and huge.png is 1,000 times as wide and as high, more than is decoded at once.

use image::{ImageFormat, Rgb, RgbImage};
use lookalike::picture::{Encoded, ImagePlanes, PictureSpec, View, fill};
use std::path::Path;

const SIDE: usize = 24;
const WHITE: [u8; 3] = [255; 3];
const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// The picture of an image, `SIDE × SIDE` RGB pixels.
fn picture(name: &str) -> Vec<[u8; 3]> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images").join(name);
    let planes = ImagePlanes::decode(&std::fs::read(file).unwrap(), PictureSpec::image(SIDE), None)
        .unwrap_or_else(|error| panic!("{name} {error}"));
    let spec = PictureSpec::image(SIDE);
    let mut values = vec![0.0; spec.len()];
    fill(&Encoded::Image(planes), spec, View::Whole, &mut values);
    let byte = |value: f32| ((value + 1.0) / 2.0 * 255.0).round() as u8;
    values.as_chunks().0.iter().map(|[r, g, b]| [byte(*r), byte(*g), byte(*b)]).collect()
}

/// Checks the colour of one pixel, with a tolerance for JPEG and colour profiles.
fn assert_at(name: &str, picture: &[[u8; 3]], (x, y): (usize, usize), want: [u8; 3]) {
    let found = picture[y * SIDE + x];
    let near = found.iter().zip(want).all(|(a, b)| a.abs_diff(b) < 45);
    assert!(near, "{name} at {x}, {y}: expected {want:?}, found {found:?}");
}

#[test]
fn every_image_format_decodes_as_viewers_show_it() {
    for name in [
        "rgb.png",
        "rgb.jpg",
        "rgb.bmp",
        "rgb.webp",
        "progressive.jpg",
        "palette.png",
        "palette2bit.png",
        "palette.gif",
        "deep.png",
        "cmyk.jpg",
        "moving.gif",
        "moving.webp",
        "moving.png",
        "turned2.jpg",
        "turned3.jpg",
        "turned4.jpg",
        "turned5.jpg",
        "turned6.jpg",
        "turned7.jpg",
        "turned8.jpg",
        "turned6.png",
        "turned6.webp",
        "rgb.tiff",
        "lzw.tiff",
        "jpeg.tiff",
        "palette.tiff",
        "ycbcr.tiff",
        "cmyk.tiff",
        "turned6.tiff",
        "png.ico",
        "bmp.ico",
        "bad_crc.png",
        "bad_adler.png",
        "huge.png",
    ] {
        let picture = picture(name);
        // Letterboxed: four black rows above and below.
        assert_at(name, &picture, (6, 1), [0; 3]);
        assert_at(name, &picture, (5, 5), WHITE);
        assert_at(name, &picture, (5, 14), RED);
        assert_at(name, &picture, (18, 5), BLUE);
        assert_at(name, &picture, (18, 14), BLUE);
    }
}

#[test]
fn transparent_pixels_are_white() {
    for name in ["alpha.png", "alpha.webp", "alpha_palette.png", "alpha.tiff", "alpha.ico"] {
        let picture = picture(name);
        assert_at(name, &picture, (5, 14), RED);
        assert_at(name, &picture, (18, 12), WHITE);
    }
}

#[test]
fn grey_and_bilevel_images_are_grey() {
    for name in ["grey.jpg", "bilevel.png", "grey.tiff", "bilevel.tiff"] {
        let picture = picture(name);
        assert_at(name, &picture, (5, 5), WHITE);
        assert!(picture.iter().all(|[r, g, b]| r == g && g == b), "{name}");
    }
}

/// The last third of each file is missing. The first 24 of 64 rows are red.
#[test]
fn the_start_of_a_truncated_image_is_shown() {
    for name in ["truncated.png", "truncated.jpg", "truncated.gif"] {
        let picture = picture(name);
        assert_at(name, &picture, (5, 3), RED);
        assert_at(name, &picture, (18, 6), RED);
    }
    // BMP rows run from bottom to top: the upper ones are missing.
    let picture = picture("truncated.bmp");
    assert!(picture[20 * SIDE..].iter().any(|pixel| *pixel != [0; 3]));
}

/// Images of 20,000 pixels and more are scaled as Pillow's BOX filter does: the mean of the pixels below each pixel.
#[test]
fn a_wide_or_tall_image_is_scaled_to_its_mean() {
    let pixel = |x: u32, y: u32| {
        Rgb([(x * 7 % 256) as u8, (y * 3 % 256) as u8, if (x + y).is_multiple_of(5) { 255 } else { 0 }])
    };
    for (size, format) in [
        ((21_000, 30), ImageFormat::Png),
        ((33, 20_100), ImageFormat::Png),
        ((20_000, 5), ImageFormat::Tiff),
        ((17_000, 9), ImageFormat::Bmp),
    ] {
        let image = RgbImage::from_fn(size.0, size.1, pixel);
        let mut file = std::io::Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        let planes = ImagePlanes::decode(&file.into_inner(), PictureSpec::image(SIDE), None).unwrap();
        let spec = PictureSpec::image(SIDE);
        let mut values = vec![0.0; spec.len()];
        fill(&Encoded::Image(planes), spec, View::Whole, &mut values);
        // The scaled image is one pixel high or wide, in the middle of the square.
        let wide = size.0 > size.1;
        let middle = (SIDE - 1) / 2;
        for i in 0..SIDE {
            let part =
                |n: u32| (i * n as usize).div_ceil(SIDE) as u32..((i + 1) * n as usize).div_ceil(SIDE) as u32;
            let (xs, ys) = if wide { (part(size.0), 0..size.1) } else { (0..size.0, part(size.1)) };
            let mut sums = [0_u64; 3];
            for (x, y) in ys.clone().flat_map(|y| xs.clone().map(move |x| (x, y))) {
                sums.iter_mut().zip(pixel(x, y).0).for_each(|(sum, value)| *sum += u64::from(value));
            }
            let n = (xs.len() * ys.len()) as f32;
            let at = if wide { middle * SIDE + i } else { i * SIDE + middle };
            for (found, sum) in values[at * 3..at * 3 + 3].iter().zip(sums) {
                let found = (found + 1.0) / 2.0 * 255.0;
                assert!(
                    (found - sum as f32 / n).abs() < 1.0,
                    "{size:?} {format:?} at {i}: {found} for {sum} / {n}"
                );
            }
        }
    }
}
