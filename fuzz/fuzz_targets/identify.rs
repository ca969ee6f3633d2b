//! Identification of a file from its first bytes.
#![no_main]

use lookalike::sample::{FileKind, archive};
use std::io::Cursor;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (kind, architecture) = FileKind::identify(bytes);
    assert!(architecture.is_none() || kind.is_executable());
    let container = archive::recognise(kind, bytes, &mut Cursor::new(bytes));
    assert!(container.is_none() || kind == FileKind::Other);
});
