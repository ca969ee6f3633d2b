//! Headers of executables.
#![no_main]

use lookalike::sample::content_of;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (_, content) = content_of(bytes);
    for program in content.programs() {
        for section in program.sections.iter().flatten() {
            assert!(section.entropy.is_none_or(|entropy| (0.0..=8.001).contains(&entropy)));
        }
        if let Some(Some(overlay)) = program.overlay {
            assert!(overlay.offset + overlay.size == bytes.len() as u64 || overlay.size > 0);
        }
    }
});
