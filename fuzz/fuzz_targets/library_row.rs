//! Rows of a library.
#![no_main]

use lookalike::library::parse_row;
use rusqlite::types::ValueRef;

/// A value from a byte that chooses its type and the bytes after it.
fn value<'a>(bytes: &mut &'a [u8]) -> ValueRef<'a> {
    let Some((kind, rest)) = bytes.split_first() else {
        return ValueRef::Null;
    };
    let take = |n: usize| rest.split_at(n.min(rest.len()));
    let (value, rest) = match kind % 5 {
        0 => (ValueRef::Null, rest),
        1 | 2 => {
            let (number, rest) = take(8);
            let mut eight = [0; 8];
            eight[..number.len()].copy_from_slice(number);
            let value = if kind % 5 == 1 {
                ValueRef::Integer(i64::from_le_bytes(eight))
            } else {
                ValueRef::Real(f64::from_le_bytes(eight))
            };
            (value, rest)
        }
        kind_of_bytes => {
            let (bytes, rest) = take(usize::from(kind / 5));
            (if kind_of_bytes == 3 { ValueRef::Text(bytes) } else { ValueRef::Blob(bytes) }, rest)
        }
    };
    *bytes = rest;
    value
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let values = std::array::from_fn(|_| value(&mut rest));
    let with_views = bytes.first().is_some_and(|first| first & 1 == 1);
    if let Some(row) = parse_row(values, 2, with_views) {
        let embedding = &row.look.embedding;
        assert!(embedding.len() == 2 && embedding.iter().all(|number| number.is_finite()));
        assert_eq!(row.look.views.is_some(), with_views);
        assert!(row.listed.place.is_none_or(|place| place.iter().all(|number| number.is_finite())));
    }
});
