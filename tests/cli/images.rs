//! Images decode to the picture that a viewer shows. The files in tests/images were written with Pillow: 24 × 16
//! pixels, the left half red with a white strip at the top, the right half blue.

use lookalike::picture::{Encoded, ImagePlanes, PictureSpec, View, fill};
use std::path::Path;

const SIDE: usize = 24;
const WHITE: [u8; 3] = [255; 3];
const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// The picture of an image, `SIDE × SIDE` RGB pixels.
fn picture(name: &str) -> Vec<[u8; 3]> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images").join(name);
    let planes = ImagePlanes::decode(&std::fs::read(file).unwrap(), SIDE)
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
    for name in ["alpha.png", "alpha.webp", "alpha_palette.png"] {
        let picture = picture(name);
        assert_at(name, &picture, (5, 14), RED);
        assert_at(name, &picture, (18, 12), WHITE);
    }
}

#[test]
fn grey_and_bilevel_images_are_grey() {
    for name in ["grey.jpg", "bilevel.png"] {
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
