//! Rows of a library.
#![no_main]

use lookalike::library::parse_row;
use rusqlite::types::ValueRef;

/// A value, from a byte that says of what type and bytes behind it.
fn value<'a>(bytes: &mut &'a [u8]) -> ValueRef<'a> {
    let Some((what, rest)) = bytes.split_first() else {
        return ValueRef::Null;
    };
    let take = |n: usize| rest.split_at(n.min(rest.len()));
    let (value, rest) = match what % 5 {
        0 => (ValueRef::Null, rest),
        1 | 2 => {
            let (number, rest) = take(8);
            let mut eight = [0; 8];
            eight[..number.len()].copy_from_slice(number);
            let value = if what % 5 == 1 {
                ValueRef::Integer(i64::from_le_bytes(eight))
            } else {
                ValueRef::Real(f64::from_le_bytes(eight))
            };
            (value, rest)
        }
        text => {
            let (text_of, rest) = take(usize::from(what / 5));
            (if text == 3 { ValueRef::Text(text_of) } else { ValueRef::Blob(text_of) }, rest)
        }
    };
    *bytes = rest;
    value
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let values = std::array::from_fn(|_| value(&mut rest));
    if let Some(row) = parse_row(values, 2) {
        assert!(row.embedding.len() == 2 && row.embedding.iter().all(|number| number.is_finite()));
        assert!(row.place.is_none_or(|place| place.iter().all(|number| number.is_finite())));
    }
});
