//! Names and labels in CSV: the table parses, and no cell is a formula or contains control characters.
#![no_main]

use lookalike::export::{MadeBy, SampleRow, samples_csv};
use lookalike::sample::Sha256;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (path, label) = bytes.split_at(bytes.len() / 2);
    let label = String::from_utf8_lossy(label);
    let row = SampleRow {
        sha256: Sha256([0; 32]),
        label: Some(&label),
        path: Path::new(OsStr::from_bytes(path)),
        size: 1,
        kind: "PE",
        architecture: None,
        place: None,
    };
    let table = samples_csv([row], &MadeBy::default());
    let text = std::str::from_utf8(&table).expect("UTF-8");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].len(), 8);
    for cell in &rows[0] {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        assert!(!cell.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{cell:?}");
    }
});
