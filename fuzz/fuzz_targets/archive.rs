//! Archives of every format, with small limits.
#![no_main]

use lookalike::sample::archive::{self, Budget, Limits};
use lookalike::sample::{FileKind, Passwords};
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let kind = FileKind::identify(bytes).0;
    let Some(container) = archive::recognise(kind, bytes, &mut Cursor::new(bytes)) else { return };
    let limits = Limits {
        members: 20,
        member: 1 << 13,
        total: 1 << 15,
        ratio: 1200,
        work: 1 << 16,
        depth: 2,
        memory_kib: 1 << 10,
        time: Duration::from_secs(5),
        appended: true,
    };
    // Trying a password costs thousands of hashes, so most executions have none.
    let passwords = if bytes.len() % 64 == 0 { Passwords::default() } else { Passwords::none() };
    let (mut files, mut total) = (0, 0);
    let mut budget = Budget::new(limits, bytes.len() as u64);
    let _ = archive::open(
        Path::new("a"),
        container,
        &mut Cursor::new(bytes),
        &passwords,
        &mut budget,
        &mut |path, found| {
            assert!(path.starts_with("a") || path.to_string_lossy().starts_with("a!"));
            files += 1;
            total += found.map_or(0, |member| member.bytes.size());
        },
    );
    assert!(files <= 21 && total <= 1 << 16, "{files} files, {total} bytes");
});
