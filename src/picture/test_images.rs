//! The images of `tests/data/image_reference.py`, and its figures.

/// RGB pixels, row by row.
pub fn pattern(kind: u64, width: usize, height: usize) -> Vec<u8> {
    let value = |x: usize, y: usize, c: usize| match kind {
        0 => (x * 255 / width + y * 128 / height * (c + 1)) % 256,
        1 => ((x * 8 / width + y * 8 / height) % 2 * (90 + 60 * c) + 20 + c * 5) % 256,
        _ => {
            let [across, down] = [(2 * x).abs_diff(width) * height, (2 * y).abs_diff(height) * width];
            if across * across + down * down < width * width * height * height / 2 {
                250 - 70 * c
            } else {
                (x * 3 + y * 5 + c * 40) / 4 % 200
            }
        }
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    pixels.flat_map(|(x, y)| (0..3).map(move |c| value(x, y, c) as u8)).collect()
}

/// The figures.
pub fn reference() -> serde_json::Value {
    serde_json::from_str(include_str!("../../tests/data/image_reference.json")).unwrap()
}
