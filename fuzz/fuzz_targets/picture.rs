//! The planes of a file's bytes; and a picture as another process would send it.
#![no_main]

use lookalike::picture::{BytePlanes, Encoded, PictureSpec, View, fill};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let made = Encoded::Bytes(BytePlanes::of(bytes));
    let mut sent = Vec::new();
    made.put(&mut sent);
    assert_eq!(Encoded::take(PictureSpec::BYTES, &sent).as_ref(), Some(&made));
    let mut values = vec![0.0; PictureSpec::BYTES.len()];
    fill(&made, PictureSpec::BYTES, View::Whole, &mut values);
    assert!(values.iter().all(|value| value.is_finite()));
    // The same bytes as if they were a picture.
    if let Some(taken) = Encoded::take(PictureSpec::BYTES, bytes) {
        fill(&taken, PictureSpec::BYTES, View::Whole, &mut values);
    }
});
