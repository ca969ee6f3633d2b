//! Decoding of images.
#![no_main]

use lookalike::picture::{ImagePlanes, PictureSpec, longer_side};
use lookalike::sample::FileKind;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Allocating memory for a large image takes milliseconds, so only one in 256 is decoded.
    let large = longer_side(FileKind::identify(bytes).0, bytes).is_some_and(|side| side > 256);
    if large && !bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)).is_multiple_of(255) {
        return;
    }
    // Any input is decoded or gives an error.
    let _ = ImagePlanes::decode(bytes, PictureSpec::image(32), None);
});
