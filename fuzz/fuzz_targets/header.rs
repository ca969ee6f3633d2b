//! Headers of executables.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(found) = lookalike::sample::parse_header(bytes, bytes.len() as u64) {
        for section in &found.sections {
            assert!(section.entropy.is_none_or(|entropy| (0.0..=8.001).contains(&entropy)));
        }
        assert!(found.overlay.is_none_or(|overlay| overlay <= bytes.len() as u64));
    }
});
