//! Images.
#![no_main]

use lookalike::picture::{ImagePlanes, longer_side};
use lookalike::sample::FileKind;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Large ones take milliseconds for their memory alone: one in 256 will do.
    let large = longer_side(FileKind::identify(bytes).0, bytes).is_some_and(|side| side > 256);
    if large && !bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)).is_multiple_of(255) {
        return;
    }
    // Whatever it is decodes or says why not.
    let _ = ImagePlanes::decode(bytes, 32);
});
