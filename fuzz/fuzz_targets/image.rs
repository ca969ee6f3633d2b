//! Images.
#![no_main]

use lookalike::picture::ImagePlanes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Whatever it is decodes or says why not.
    let _ = ImagePlanes::decode(bytes, 32);
});
