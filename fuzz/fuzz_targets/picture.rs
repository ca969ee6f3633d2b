//! The planes of a file's bytes, and pictures as a worker sends them.
#![no_main]

use lookalike::picture::{BytePlanes, Encoded, PictureSpec, View, fill};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let made = Encoded::Bytes(BytePlanes::of(bytes));
    // The steps below take long for inputs of any size, so only one input in sixteen goes through them.
    if bytes.len() % 16 != 0 {
        return;
    }
    let mut sent = Vec::new();
    made.write(&mut sent);
    assert_eq!(Encoded::read(PictureSpec::BYTES, &sent).as_ref(), Some(&made));
    let mut values = vec![0.0; PictureSpec::BYTES.len()];
    fill(&made, PictureSpec::BYTES, View::Whole, &mut values);
    assert!(values.iter().all(|value| value.is_finite()));
    // Overwrites a part of the picture with the input.
    let end = sent.len().min(bytes.len());
    sent[..end].copy_from_slice(&bytes[..end]);
    if let Some(picture) = Encoded::read(PictureSpec::BYTES, &sent) {
        fill(&picture, PictureSpec::BYTES, View::Whole, &mut values);
    }
});
