//! Identification of a file from its first bytes.
#![no_main]

use lookalike::sample::FileKind;
use lookalike::sample::archive::Container;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (kind, architecture) = FileKind::identify(bytes);
    assert!(architecture.is_none() || kind.is_executable());
    if let Some(container) = Container::of_sample(kind, bytes) {
        assert_eq!((kind, Some(container)), (FileKind::Other, Container::of(bytes)));
    }
});
