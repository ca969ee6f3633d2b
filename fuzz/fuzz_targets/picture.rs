//! The planes of a file's bytes; and a picture as another process would send it.
#![no_main]

use lookalike::picture::{BytePlanes, Encoded, PictureSpec, View, fill};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let made = Encoded::Bytes(BytePlanes::of(bytes));
    // What is of one size whatever the bytes are takes longest: one input in sixteen goes further.
    if bytes.len() % 16 != 0 {
        return;
    }
    let mut sent = Vec::new();
    made.put(&mut sent);
    assert_eq!(Encoded::take(PictureSpec::BYTES, &sent).as_ref(), Some(&made));
    let mut values = vec![0.0; PictureSpec::BYTES.len()];
    fill(&made, PictureSpec::BYTES, View::Whole, &mut values);
    assert!(values.iter().all(|value| value.is_finite()));
    // Bytes of the input where those of the picture stood.
    let end = sent.len().min(bytes.len());
    sent[..end].copy_from_slice(&bytes[..end]);
    if let Some(taken) = Encoded::take(PictureSpec::BYTES, &sent) {
        fill(&taken, PictureSpec::BYTES, View::Whole, &mut values);
    }
});
