//! Images.
#![no_main]

use lookalike::picture::{ImagePlanes, longer_side};
use lookalike::sample::FileKind;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Large ones take milliseconds for their memory alone: one in sixteen will do.
    let large = longer_side(FileKind::identify(bytes).0, bytes).is_some_and(|side| side > 256);
    if large && bytes.len() % 16 != 0 {
        return;
    }
    // Whatever it is decodes or says why not.
    let _ = ImagePlanes::decode(bytes, 32);
});
